"""A real Ray cluster of two nodes on this machine, in a process of its own.

Its address is the first line that it prints. It ends its second node once it reads ``kill``, and
itself once its standard input ends.
"""

import sys

#: Small: what passes through is names of clips and reports.
NODE = {"num_cpus": 1, "num_gpus": 1, "object_store_memory": 100 * 1024**2}


def main() -> None:
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"include_dashboard": False, **NODE})
    second = cluster.add_node(**NODE)
    sys.stdout.write(f"{cluster.address}\n")
    sys.stdout.flush()
    for line in sys.stdin:
        if line.strip() == "kill":
            cluster.remove_node(second, allow_graceful=False)
    cluster.shutdown()


if __name__ == "__main__":
    main()
