"""The HTML doors of access, and the words in which they speak."""

from app.access.pages.doors import AccessPages, MyAccessPages
from app.access.pages.roles import RolePages

__all__ = ["AccessPages", "MyAccessPages", "RolePages"]
