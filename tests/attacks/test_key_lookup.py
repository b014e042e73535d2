"""How a key is found: by its digest, so that how long it takes says nothing of how much of a key was right."""
