"""The block has 1024 places, whatever the row has."""
# caught by: extreme_rows
# hint: BLOCK is at least N: triton.next_power_of_2(N). A fixed block leaves the rest of a long row out.


# %% softmax
@triton.jit
def softmax_kernel(
    x_ptr, out_ptr, M, N, stride_xm, stride_xn, stride_om, stride_on, BLOCK: tl.constexpr
):
    """Program m computes row m, for every m below M; BLOCK is at least N."""
    row = tl.program_id(0)
    columns = tl.arange(0, BLOCK)
    mask = (columns < N) & (row < M)
    x = tl.load(x_ptr + row * stride_xm + columns * stride_xn, mask=mask, other=-float("inf"))
    x = x.to(tl.float32)
    powers = tl.exp(x - tl.max(x, axis=0))
    result = powers / tl.sum(powers, axis=0)
    place = out_ptr + row * stride_om + columns * stride_on
    tl.store(place, result.to(out_ptr.dtype.element_ty), mask=mask)


def row_softmax(x):
    """softmax over the last axis of x (M, N), any strides; a new tensor of the same dtype."""
    M, N = x.shape
    out = torch.empty((M, N), dtype=x.dtype, device=x.device)
    if x.numel():
        block = 1024
        softmax_kernel[(M,)](x, out, M, N, *x.stride(), *out.stride(), BLOCK=block)
    return out
