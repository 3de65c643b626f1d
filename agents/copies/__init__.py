"""COPIES: what happens, told one way to group chats and mailboxes; it never counts as reached or answered."""
