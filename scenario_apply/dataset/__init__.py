"""Images and captions as they will be sent, and the lint rules on them."""
