"""A tensor is listed once for every path that leads to it."""
# caught by: topological_order, stacked_diamonds (timed_out)
# hint: Remember which tensors you have visited; 60 diamonds have 2^60 paths.


# %% topo-order
def topo_order(out):
    """Every tensor that `out` was computed from, each once, parents before children, `out` last."""
    order, stack = [], [(out, False)]
    while stack:
        node, parents_done = stack.pop()
        if parents_done:
            order.append(node)
        else:
            stack.append((node, True))
            stack.extend((parent, False) for parent in node.parents)
    return order
