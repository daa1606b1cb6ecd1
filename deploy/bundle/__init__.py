"""The bundle builder: one folder and one archive that turn a bare board into Bedside, offline.

`python -m deploy.bundle make --board pi5 --model models/x.gguf` on an x86 Debian 12; what a bundle
holds is told in app/releases/bundle.py, which reads it on the board.
"""
