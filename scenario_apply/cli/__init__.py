"""What people and machines see and type. Shows, and never acts."""
