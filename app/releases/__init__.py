"""Releases on a board: reading, verifying, installing, switching and undoing them.

This room stands on the standard library alone, and of `app` on rooms that do too (errors, files,
boards): at the first installation it runs straight out of Bedside's wheel, before anything that
Bedside needs is there.
"""
