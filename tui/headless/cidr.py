"""`flannelscope cidr`: capacity before building, free blocks, and what another range would mean."""

from __future__ import annotations

import click

from tui.call import Call
from tui.commands import Commands, from_option, headless, output_option

INVALID = 1
UNREAD = 3
number_option = click.option(
    "-n", "number", type=click.IntRange(1, 65536), default=10, show_default=True, metavar="N", help="How many blocks to show."
)


@headless("plan", short_help="Capacity of a range before building; no cluster needed.")
@output_option("text", "json")
@click.option("--nodes", type=click.IntRange(0), metavar="N", help="Exit code 1 when there are fewer blocks than this.")
@click.option("--max-pods", type=click.IntRange(1), default=110, show_default=True, metavar="N", help="The kubelets' --max-pods.")
def plan(call: Call, output: str, nodes: int | None, max_pods: int) -> int:
    """Say what --cluster-cidr and --node-cidr-mask-size give: blocks, addresses, whether Kubernetes takes them.

    --cluster-cidr is needed; the mask is Kubernetes' default (24, for IPv6 64) where it is not given. For example:
    flannelscope cidr plan --cluster-cidr 10.244.0.0/16 --node-cidr-mask-size 24 --nodes 200

    Exit code 1 when they are not valid, or too small for --nodes.
    """
    from flannelscope.blocks import plan as plan_ranges
    from flannelscope.cidr import parse
    from flannelscope.errors import UsageError
    from flannelscope.report.cidr import plan_document, plan_text
    from flannelscope.report.document import encode
    from tui.streams import emit

    call.asking = True
    config = call.config
    if not config.cluster_cidrs:
        usage = "flannelscope cidr plan --cluster-cidr CIDR[,CIDR] [--node-cidr-mask-size N[,N]] [--nodes N]"
        raise UsageError("no range is given", "", f"Usage: {usage}, for example --cluster-cidr 10.244.0.0/16.")
    services = [prefix for prefix in map(parse, config.service_cidrs) if prefix is not None]
    plans = plan_ranges(config.cluster_cidrs, config.node_masks, services, nodes=nodes, max_pods=max_pods)
    emit(encode(plan_document(plans)) if output == "json" else plan_text(plans))
    return INVALID if any(not item.valid or item.problems for item in plans) else 0


@headless("free", short_help="Blocks that nothing uses, best first.")
@output_option("text", "json")
@number_option
@from_option
def free(call: Call, output: str, number: int, from_file: str) -> int:
    """Show the blocks that no node, pod, service range or host address uses.

    First those that the allocator would reach last, whether it runs on or starts again: a node that joins while another
    is being rebuilt must not get the block that was chosen for it. Where a node could not be read, none can be called free:
    then none is shown, and the exit code is 3.
    """
    from flannelscope.errors import UsageError
    from flannelscope.report.cidr import answer_document, answer_text
    from flannelscope.report.document import encode
    from flannelscope.what_if import free as free_in
    from tui.reading import look
    from tui.streams import emit

    looked = look(call, call.settings(from_file, eyes=False))
    answer = free_in(looked.facts, number)
    if answer is None:
        raise UsageError(
            "the cluster CIDR is not known",
            from_file,
            "Give --cluster-cidr and --node-cidr-mask-size as the controller manager has them.",
        )
    emit(encode(answer_document(answer, rebuild=False)) if output == "json" else answer_text(answer, rebuild=False))
    looked.tell(call)
    return UNREAD if answer.problem else 0


@headless("what-if", short_help="What another range or mask would mean for this cluster.")
@output_option("text", "json")
@number_option
@from_option
def what_if(call: Call, output: str, number: int, from_file: str) -> int:
    """Say what --cluster-cidr and --node-cidr-mask-size would mean: which nodes must be rebuilt, in which order, to which
    block, and whether the controller manager would start with the nodes as they are. Of the two, what is not given stays as
    it was found in the cluster; the answer says where.

    Exit codes: 0 it would work, 1 the controller manager would not start with these nodes or the range is too small for
    them (also: nodes that wait for a podCIDR would go on waiting), 2 wrong use (also: no range given and none found), 3 a
    node could not be read, and then no block is named.
    """
    from msgspec.structs import replace

    from flannelscope.cidr import parse
    from flannelscope.errors import UsageError
    from flannelscope.question import question
    from flannelscope.report.cidr import answer_document, answer_text
    from flannelscope.report.document import encode
    from flannelscope.what_if import what_if as ask
    from tui.reading import look
    from tui.streams import emit

    call.asking = True
    config = call.config
    if not config.cluster_cidrs and not config.node_masks:
        raise UsageError("neither a range nor a mask is given", "", "Give --cluster-cidr, --node-cidr-mask-size, or both.")
    # The range asked about is no claim about the one in effect.
    settings = replace(call.settings(from_file, eyes=False), cluster_cidrs=(), node_masks=())
    looked = look(call, settings)
    asked = question(looked.facts, [p for p in map(parse, config.cluster_cidrs) if p is not None], config.node_masks)
    answer = ask(looked.facts, asked.clusters, asked.node_masks, number, asked.notes)
    emit(encode(answer_document(answer, rebuild=True)) if output == "json" else answer_text(answer, rebuild=True))
    looked.tell(call)
    if not answer.would_start or answer.small:
        return INVALID
    return UNREAD if answer.problem else 0


command = Commands("cidr", commands=[plan, free, what_if], no_args_is_help=True, short_help="Capacity, free blocks, what if.")
