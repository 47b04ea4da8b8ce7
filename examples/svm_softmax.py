"""Two linear classifiers of handwritten digits, their backward pass by hand and by dotbar.

    python examples/svm_softmax.py

The multiclass support vector machine and softmax, both with L2 regularisation.  Each is staged: scores, margins or
probabilities, data loss, regularisation.  Then the stages backwards: dmargins, dscores, dW.  All three gradients (hand,
dotbar, numerical) agree; vanilla gradient descent trains both.
"""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from dotbar import grad

REGULARISATION = 1e-4


def svm(W, X, y):
    """Mean over images i of Σ_{j≠yᵢ} max(0, s_ij − s_{i,yᵢ} + 1), plus λ ΣW²."""
    rows = np.arange(len(y))
    scores = X @ W
    margins = np.maximum(scores - scores[rows, y][:, None] + 1, 0)
    margins[rows, y] = 0
    data_loss = np.sum(margins) / len(y)
    regularisation = REGULARISATION * np.sum(W * W)
    return data_loss + regularisation


def svm_backward(W, X, y):
    """The stages of ``svm`` backwards, one line for one."""
    rows = np.arange(len(y))
    scores = X @ W
    margins = np.maximum(scores - scores[rows, y][:, None] + 1, 0)
    margins[rows, y] = 0

    dW = 2 * REGULARISATION * W  # regularisation
    dmargins = np.full(margins.shape, 1 / len(y))  # data loss: every margin has the same share
    dscores = dmargins * (margins > 0)  # max routes the gradient to what was positive
    dscores[rows, y] = -np.sum(dscores, axis=1)  # s_{i,yᵢ} enters every margin of its row with −1
    dW += X.T @ dscores  # product
    return dW


def softmax(W, X, y):
    """Mean over images i of −log p_{i,yᵢ}, where p = exp(s)/Σexp(s), plus λ ΣW²."""
    scores = X @ W
    scores = scores - np.max(scores, axis=1, keepdims=True)
    log_p = scores - np.log(np.sum(np.exp(scores), axis=1, keepdims=True))
    data_loss = -np.mean(log_p[np.arange(len(y)), y])
    regularisation = REGULARISATION * np.sum(W * W)
    return data_loss + regularisation


def softmax_backward(W, X, y):
    """The stages of ``softmax`` backwards: the gradient in the scores is p − (one at the label)."""
    scores = X @ W
    p = np.exp(scores - np.max(scores, axis=1, keepdims=True))
    p /= np.sum(p, axis=1, keepdims=True)

    dW = 2 * REGULARISATION * W
    dscores = p
    dscores[np.arange(len(y)), y] -= 1
    dscores /= len(y)
    dW += X.T @ dscores
    return dW


def numerical(f, W, places, h=1e-6):
    """Central differences (f(W + h) − f(W − h)) / 2h at some entries of W."""
    entries = []
    for place in places:
        step = np.zeros_like(W)
        step[place] = h
        entries.append((f(W + step) - f(W - step)) / (2 * h))
    return np.array(entries)


def check(f, backward, W, X, y, rng):
    """Hand against dotbar everywhere, both against differences at twenty entries."""
    by_hand, by_dotbar = backward(W, X, y), grad(f)(W, X, y)
    places = list(zip(*(rng.integers(n, size=20) for n in W.shape)))
    differences = numerical(lambda V: f(V, X, y), W, places)
    apart = np.max(np.abs(by_hand - by_dotbar))
    off = np.max(np.abs([by_dotbar[place] for place in places] - differences))
    print(f"{f.__name__:8} hand − dotbar {apart:.1e}   dotbar − differences {off:.1e}")
    assert apart < 1e-14
    assert off < 1e-8


def descend(f, W, X, y, rate, steps):
    """Vanilla gradient descent, W ← W − ηg."""
    gradient = grad(f)
    for _ in range(steps):
        W = W - rate * gradient(W, X, y)
    return W


def main():
    digits = load_digits()
    X = np.column_stack([digits.data / 16, np.ones(len(digits.data))])  # the last column carries the bias
    X, X_test, y, y_test = train_test_split(X, digits.target, test_size=0.2, stratify=digits.target, random_state=0)
    rng = np.random.default_rng(0)
    W = 0.01 * rng.standard_normal((X.shape[1], 10))
    accuracies = []
    for f, backward, rate in ((svm, svm_backward, 0.1), (softmax, softmax_backward, 1.0)):
        check(f, backward, W, X, y, rng)
        trained = descend(f, W, X, y, rate, steps=500)
        accuracy = np.mean(np.argmax(X_test @ trained, axis=1) == y_test)
        accuracies.append(accuracy)
        print(f"{f.__name__:8} loss {f(W, X, y):.3f} → {f(trained, X, y):.3f}   test accuracy {accuracy:.1%}")
    assert min(accuracies) >= 0.94


if __name__ == "__main__":
    main()
