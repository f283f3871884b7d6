"""Depth first by recursion: right, but not for deep graphs."""
# caught by: deep_chain (error)
# hint: Python stops recursion at about 1,000 levels; keep a stack of your own.


# %% topo-order
def topo_order(out):
    """Every tensor that `out` was computed from, each once, parents before children, `out` last."""
    order, visited = [], set()

    def visit(node):
        if id(node) not in visited:
            visited.add(id(node))
            for parent in node.parents:
                visit(parent)
            order.append(node)

    visit(out)
    return order
