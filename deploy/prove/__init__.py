"""`make prove-arm64`: a bundle on an emulated board without a network, from install.sh to rollback.

As root on Debian 12 on x86-64. Everything is mounted in a namespace of its own, which the kernel
takes down with the last program in it, so no way out of the proof leaves a mount behind.
"""
