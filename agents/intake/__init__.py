"""INTAKE: which chain does it belong to, and what does it do to that chain?"""
