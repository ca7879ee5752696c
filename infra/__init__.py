"""What the running system needs around it: migrations, and how it is deployed."""
