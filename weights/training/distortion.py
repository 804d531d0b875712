"""What training takes for the loss of a picture: its squared error, or mostly 1 - MS-SSIM.

Both are in bits per pixel at a rate: training minimises bits per pixel + distortion(...).
"""
import torch
import torch.nn.functional as F

from model import LAMBDA_PER_LRD

METRICS = ("mse", "ms-ssim")
# MS-SSIM sees hardly anything of a colour that is a little off everywhere: this share of the
# squared error's weight stays, and keeps colours where they are.
MSE_SHARE = 0.03
MS_SSIM_PER_LRD = 72e3          # about the same bits as with squared error at every rate
MS_SSIM_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of scales; Wang et al. 2003
MS_SSIM_TAPS, MS_SSIM_SIGMA = 11, 1.5
LEAST_SIDE = (MS_SSIM_TAPS - 1) * 2 ** (len(MS_SSIM_WEIGHTS) - 1) + 16  # of a crop; multiple of 16
C1, C2 = 0.01 ** 2, 0.03 ** 2


def mse_share(metric):
    """What squared error weighs in training by `metric`, as a share of its weight in training for it alone."""
    return MSE_SHARE if metric == "ms-ssim" else 1


class Distortion:
    def __init__(self, metric="mse"):
        self.metric, self.windows = metric, {}
        self.lambda_per_lrd = LAMBDA_PER_LRD * mse_share(metric)

    def __call__(self, x_hat, x, mse, weight, lrd):
        """x_hat, x [B,3,H,W] in 0..1; mse, weight, lrd [B]: squared errors and what they count."""
        squared = self.lambda_per_lrd * lrd * 65025 * weight * mse
        if self.metric == "mse":
            return squared
        return squared + MS_SSIM_PER_LRD * lrd * (1 - self.ms_ssim(x_hat, x))

    def ms_ssim(self, x_hat, x):
        """[B]: of each picture, its colours one by one. Without padding; sides from LEAST_SIDE on."""
        result = 1
        for scale, weight in enumerate(MS_SSIM_WEIGHTS):
            if scale:
                x_hat, x = F.avg_pool2d(x_hat, 2), F.avg_pool2d(x, 2)
            products = torch.stack([x_hat, x, x_hat * x_hat, x * x, x_hat * x], 1)
            rows, columns = (self.window(n, x.device) for n in x.shape[2:])
            mean, mean_x, square, square_x, product = (rows.t() @ (products @ columns)).unbind(1)
            value = ((2 * (product - mean * mean_x) + C2) /
                     (square - mean ** 2 + square_x - mean_x ** 2 + C2))
            if scale == len(MS_SSIM_WEIGHTS) - 1:
                value = value * (2 * mean * mean_x + C1) / (mean ** 2 + mean_x ** 2 + C1)
            result = result * value.mean((2, 3)).clamp_min(1e-4) ** weight
        return result.mean(1)

    def window(self, n, device):
        """[n, n - 10]: a product with it is the Gaussian window, ten times as fast as a convolution
        of single channels on a CPU."""
        if n not in self.windows:
            at = torch.arange(MS_SSIM_TAPS, device=device) - MS_SSIM_TAPS // 2
            taps = torch.exp(-at ** 2 / (2 * MS_SSIM_SIGMA ** 2))
            matrix = torch.zeros(n, n - MS_SSIM_TAPS + 1, device=device)
            for column in range(matrix.shape[1]):
                matrix[column:column + MS_SSIM_TAPS, column] = taps / taps.sum()
            self.windows[n] = matrix
        return self.windows[n]
