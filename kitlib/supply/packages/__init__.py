"""What only the supply `packages` needs: parts of images that are made where no image can be pulled.

node_image.py   kindest/node, from Go modules
rootfs.py       a Debian root file system, from the machine's mirror
jars.py         Java archives, by Maven
wheels.py       programs that come as Python wheels
"""
