"""The screens of the chat: the conversation, the help, the palette and the export."""
