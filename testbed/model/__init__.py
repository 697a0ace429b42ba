"""What a migration will do, without doing it: closed forms, and the real algorithm on a fluid guest in virtual time."""
