"""What people and machines see: text, JSON, JSON lines."""
