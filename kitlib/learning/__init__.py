"""What frames a chapter for its reader: files to work with, goals, recap, questions, the glossary and progress."""
