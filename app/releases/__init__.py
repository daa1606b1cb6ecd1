"""Releases on a board: reading, verifying, installing, switching and undoing them.

This room imports the standard library alone, and of `app` only `app.errors`, `app.sanitise` and
itself: at the first installation it runs straight out of Bedside's wheel, before anything that
Bedside needs is there.
"""
