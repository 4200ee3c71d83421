# chapter: Neural networks
# title: Gradient descent, with its curve
# about: Forward, backward, update; the curve grows while the cell runs.
import random
from micrograd import nn
from playground import Curve

random.seed(1337)
model = nn.MLP(3, [4, 4, 1], activation="tanh")
xs = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
ys = [1.0, -1.0, -1.0, 1.0]

losses = Curve("loss")
for k in range(60):
    loss = sum((model(x) - y)**2 for x, y in zip(xs, ys))
    model.zero_grad()
    loss.backward()
    for p in model.parameters():
        p.data -= 0.05 * p.grad
    losses.add(loss)
# %%
for x, y in zip(xs, ys):
    print(f"wanted {y:4.1f}, got {model(x).data:7.4f}")
