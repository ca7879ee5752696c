"""Access tokens and passwords, by the libraries that know how."""
