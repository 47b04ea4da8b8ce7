"""Train a multilayer network on handwritten digits, in plain NumPy, with gradients by dotbar.

    python examples/digits.py

Layer by layer A⁽ˡ⁾ = W⁽ˡ⁾ H⁽ˡ⁻¹⁾ + b⁽ˡ⁾ and H⁽ˡ⁾ = max(A⁽ˡ⁾, 0), an example in each column; softmax cross-entropy
on top; minibatches, SGD with momentum.  The data are the 1797 images of 8×8 pixels that come with scikit-learn.
"""

from itertools import pairwise

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from tqdm import tqdm

from dotbar import value_and_grad

SIZES = (64, 128, 64, 10)
EPOCHS, BATCH, RATE, MOMENTUM, DECAY = 40, 32, 0.05, 0.9, 1e-4


def initial(rng):
    """Weights of variance 2/fan-in, which keeps the scale of H through rectified layers (He et al., 2015)."""
    return [{"W": rng.normal(0, np.sqrt(2 / n), (m, n)), "b": np.zeros((m, 1))} for n, m in pairwise(SIZES)]


def scores(layers, X):
    """The last layer's A, one column of ten scores per image."""
    H = X
    for layer in layers[:-1]:
        A = layer["W"] @ H + layer["b"]
        H = np.maximum(A, 0)
    return layers[-1]["W"] @ H + layers[-1]["b"]


def losses(layers, X, labels):
    """Softmax cross-entropy of each image, −log p(label)."""
    S = scores(layers, X)
    S = S - np.max(S, axis=0)
    return np.log(np.sum(np.exp(S), axis=0)) - S[labels, np.arange(len(labels))]


def objective(layers, X, labels):
    """The mean loss of a minibatch, and a little weight decay."""
    return np.mean(losses(layers, X, labels)) + DECAY / 2 * sum(np.sum(layer["W"] ** 2) for layer in layers)


def train(layers, X, labels, rng):
    """SGD with momentum, v ← μv − ηg, θ ← θ + v; returns the loss of every step."""
    velocity = [{name: np.zeros_like(p) for name, p in layer.items()} for layer in layers]
    steps = value_and_grad(objective)
    curve = []
    progress = tqdm(range(EPOCHS), desc="training", unit="epoch")
    for epoch in progress:
        rate = RATE * (1 + np.cos(np.pi * epoch / EPOCHS)) / 2
        order = rng.permutation(len(labels))
        for batch in np.split(order, range(BATCH, len(order), BATCH)):
            loss, gradient = steps(layers, X[:, batch], labels[batch])
            for layer, v, g in zip(layers, velocity, gradient):
                for name in layer:
                    v[name] = MOMENTUM * v[name] - rate * g[name]
                    layer[name] = layer[name] + v[name]
            curve.append(float(loss))
        progress.set_postfix(loss=f"{loss:.4f}")
    return curve


def draw(curve, X, labels, layers, path):
    """The learning curve, and the ten test images with the largest loss."""
    loss, guess = losses(layers, X, labels), np.argmax(scores(layers, X), axis=0)
    figure = plt.figure(figsize=(12, 4), layout="constrained")
    left, right = figure.subfigures(1, 2)
    axis = left.subplots()
    axis.semilogy(curve, color="0.8", label="minibatch")
    width = len(labels) // 8
    axis.semilogy(
        np.arange(width - 1, len(curve)), np.convolve(curve, np.full(width, 1 / width), "valid"), label="mean"
    )
    axis.set(xlabel="step", ylabel="loss", title="learning curve")
    axis.legend()
    right.suptitle("the worst mistakes: label → answer")
    for axis, k in zip(right.subplots(2, 5).flat, np.argsort(-loss)):
        axis.imshow(X[:, k].reshape(8, 8), cmap="gray_r")
        axis.set_title(f"{labels[k]} → {guess[k]}", color="C3" if labels[k] != guess[k] else "C0")
        axis.axis("off")
    figure.savefig(path, dpi=120)


def main():
    digits = load_digits()
    X, X_test, labels, labels_test = train_test_split(
        digits.data / 16, digits.target, test_size=0.2, stratify=digits.target, random_state=0
    )
    rng = np.random.default_rng(0)
    layers = initial(rng)
    curve = train(layers, X.T, labels, rng)
    accuracy = np.mean(np.argmax(scores(layers, X_test.T), axis=0) == labels_test)
    draw(curve, X_test.T, labels_test, layers, "digits.png")
    print(f"test accuracy {accuracy:.2%} on {len(labels_test)} images never trained on; picture in digits.png")
    assert accuracy >= 0.97


if __name__ == "__main__":
    main()
