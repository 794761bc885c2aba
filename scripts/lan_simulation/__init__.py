"""Local networks out of Linux network namespaces: hosts, switches, routers and firewalls on one machine.

Everything lives in namespaces that the run makes itself, the switches too: no interface of the machine is touched, and
no packet can leave. Needs root (or CAP_SYS_ADMIN and CAP_NET_ADMIN), iproute2 and, for firewalls, nftables.
"""
