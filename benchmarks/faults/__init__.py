"""A large batch over three providers while one part after the other is killed: each line is answered once."""
