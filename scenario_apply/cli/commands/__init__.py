"""The commands, a file each: options, examples, and the few lines that carry the command out."""
