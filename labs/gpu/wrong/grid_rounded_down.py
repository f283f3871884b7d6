"""As many programs as full blocks."""
# caught by: vector_addition, vectors_of_any_length
# hint: The rest needs a program too: triton.cdiv.


# %% add
@triton.jit
def add_kernel(x_ptr, y_ptr, out_ptr, n, stride_x, stride_y, stride_out, BLOCK: tl.constexpr):
    """Program p adds the elements p·BLOCK … (p+1)·BLOCK − 1, as far as they are below n."""
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = tl.load(x_ptr + offsets * stride_x, mask=mask)
    y = tl.load(y_ptr + offsets * stride_y, mask=mask)
    tl.store(out_ptr + offsets * stride_out, x + y, mask=mask)


def add(x, y):
    """x + y for two tensors (n,) of one dtype and any strides; a new tensor."""
    out = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    n, block = x.numel(), 64
    if n:
        strides = x.stride(0), y.stride(0), out.stride(0)
        add_kernel[(max(1, n // block),)](x, y, out, n, *strides, BLOCK=block)
    return out
