"""Nodes read over SSH. What is imported here is light: paramiko comes in when a connection is made."""
