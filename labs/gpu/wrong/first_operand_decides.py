"""Only the dtype of the first operand is looked at."""
# caught by: half_precision_products
# hint: Two float16 or two float32 tensors: look at both.


# %% matmul
@triton.jit
def matmul_kernel(
    a_ptr,
    b_ptr,
    c_ptr,
    M,
    N,
    K,
    stride_am,
    stride_ak,
    stride_bk,
    stride_bn,
    stride_cm,
    stride_cn,
    BM: tl.constexpr,
    BN: tl.constexpr,
    BK: tl.constexpr,
):
    """Program (i, j) computes the BM×BN tile of c = a b in tile row i and tile column j."""
    rows = tl.program_id(0) * BM + tl.arange(0, BM)[:, None]
    columns = tl.program_id(1) * BN + tl.arange(0, BN)[None, :]
    total = tl.zeros((BM, BN), dtype=tl.float32)
    for start in range(0, K, BK):
        along = start + tl.arange(0, BK)
        a = tl.load(
            a_ptr + rows * stride_am + along[None, :] * stride_ak,
            mask=(rows < M) & (along[None, :] < K),
            other=0.0,
        )
        b = tl.load(
            b_ptr + along[:, None] * stride_bk + columns * stride_bn,
            mask=(along[:, None] < K) & (columns < N),
            other=0.0,
        )
        total += tl.dot(a, b, input_precision="ieee")
    place = c_ptr + rows * stride_cm + columns * stride_cn
    tl.store(place, total.to(c_ptr.dtype.element_ty), mask=(rows < M) & (columns < N))


def matmul(a, b):
    """a (M, K) times b (K, N), of one dtype and any strides; a new tensor (M, N)."""
    if a.dtype not in (torch.float16, torch.float32):
        raise TypeError(
            f"matmul takes two float16 or two float32 tensors, not {a.dtype}, {b.dtype}"
        )
    (M, K), N = a.shape, b.shape[1]
    out = torch.empty((M, N), dtype=a.dtype, device=a.device)
    if M and N:
        grid = (triton.cdiv(M, 32), triton.cdiv(N, 32))
        strides = *a.stride(), *b.stride(), *out.stride()
        matmul_kernel[grid](a, b, out, M, N, K, *strides, BM=32, BN=32, BK=32)
    return out
