"""Depth first, but a tensor enters the list before its parents (reversed at the end)."""
# caught by: topological_order
# hint: Pre-order is no topological order: in a diamond a tensor can come before one of its parents. Append it after its parents.


# %% topo-order
def topo_order(out):
    """Every tensor that `out` was computed from, each once, parents before children, `out` last."""
    order, visited, stack = [], set(), [out]
    while stack:
        node = stack.pop()
        if id(node) not in visited:
            visited.add(id(node))
            order.append(node)
            stack.extend(node.parents)
    return order[::-1]
