"""Intensity for each number, not for each byte."""
# caught by: intensities
# hint: Multiply by bytes_per.


# %% roofline
def intensity(flops, bytes):
    """Operations for each byte moved."""
    return flops / bytes


def gemm_intensity(M, K, N, bytes_per=2):
    """Intensity of (M×K)(K×N) when each matrix crosses the memory bus once."""
    return intensity(2 * M * K * N, (M * K + K * N + M * N))


def attainable(ai, peak, bw):
    """FLOP/s that a kernel of intensity `ai` can reach."""
    return min(peak, ai * bw)


def time_and_bound(flops, bytes, peak, bw):
    """(seconds, "math" or "memory")."""
    math_seconds, memory_seconds = flops / peak, bytes / bw
    if memory_seconds > math_seconds:
        return memory_seconds, "memory"
    return math_seconds, "math"


def peak_flops(clock_hz, sms, fma_per_clk_per_sm):
    """FLOP/s of the whole GPU."""
    return 2 * clock_hz * sms * fma_per_clk_per_sm
