"""What campaigns keep in the database itself, one file each; the first lines of a file say what it decides."""
