"""Calls and texts through Aliyun (阿里云语音服务, 阿里云短信服务), for numbers of the Chinese mainland."""
