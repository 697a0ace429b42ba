"""What a run leaves behind, for people and for programs: its folder, its tables. Knows no live objects."""
