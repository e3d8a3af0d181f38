"""What flannel itself would do and say, per version: announcements, net-conf, where it is installed."""
