"""What the board does while it answers: power, speed, memory, heat.

Counts and times go through here, never a word of a conversation.
"""
