"""The labs that come with the testbed, a folder each; ``testbed lab list`` finds them here."""
