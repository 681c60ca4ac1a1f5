"""The pictures of the quickstart, as drawing code: a brush, a ranger, a shelf of props."""
