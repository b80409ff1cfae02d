"""What goes over the wire: bodies that come in, views that go out. People are ids."""
