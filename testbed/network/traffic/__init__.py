"""Traffic of our own between hosts, each end a process that ``link_script`` starts.

transfer, transfer_process ── what is measured          cross_traffic, cross_traffic_process ── beside a migration
loss, loss_process ── frames that do not arrive          iperf3 ── the yardstick
"""
