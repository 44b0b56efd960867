"""The program put in its place on a machine, from its one file, and taken away again.

`install` is also the upgrade, and the way back: it is the file that is run which is installed, with
the units that travel in it. What was put where is written into a list (`layout.MANIFEST`), so that
an upgrade removes what the newer version has no more, and `uninstall` just what was installed.
"""
