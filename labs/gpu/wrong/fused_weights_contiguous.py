"""The weights are taken to be contiguous."""
# caught by: fused_layers_of_any_layout
# hint: Use both strides of w.


# %% fused
@triton.jit
def linear_relu_kernel(
    x_ptr,
    w_ptr,
    b_ptr,
    y_ptr,
    M,
    N,
    K,
    stride_xm,
    stride_xk,
    stride_wk,
    stride_wn,
    stride_b,
    stride_ym,
    stride_yn,
    BM: tl.constexpr,
    BN: tl.constexpr,
    BK: tl.constexpr,
):
    """Program (i, j) computes a BM×BN tile of max(x w + b, 0)."""
    rows = tl.program_id(0) * BM + tl.arange(0, BM)[:, None]
    columns = tl.program_id(1) * BN + tl.arange(0, BN)[None, :]
    total = tl.zeros((BM, BN), dtype=tl.float32)
    for start in range(0, K, BK):
        along = start + tl.arange(0, BK)
        x = tl.load(
            x_ptr + rows * stride_xm + along[None, :] * stride_xk,
            mask=(rows < M) & (along[None, :] < K),
            other=0.0,
        )
        w = tl.load(
            w_ptr + along[:, None] * N + columns,
            mask=(along[:, None] < K) & (columns < N),
            other=0.0,
        )
        total += tl.dot(x, w, input_precision="ieee")
    bias = tl.load(b_ptr + columns * stride_b, mask=columns < N, other=0.0).to(tl.float32)
    result = tl.maximum(total + bias, 0.0)
    place = y_ptr + rows * stride_ym + columns * stride_yn
    tl.store(place, result.to(y_ptr.dtype.element_ty), mask=(rows < M) & (columns < N))


def fused_linear_relu(x, w, b):
    """max(x w + b, 0) for x (M, K), w (K, N), b (N,); a new tensor (M, N) of the same dtype."""
    (M, K), N = x.shape, w.shape[1]
    y = torch.empty((M, N), dtype=x.dtype, device=x.device)
    if M and N:
        grid = (triton.cdiv(M, 32), triton.cdiv(N, 32))
        strides = *x.stride(), *w.stride(), *b.stride(), *y.stride()
        linear_relu_kernel[grid](x, w, b, y, M, N, K, *strides, BM=32, BN=32, BK=32)
    return y
