"""The chat's screens, drawn with Textual. They show what the assistant's events say."""
