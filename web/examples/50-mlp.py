# chapter: Neural networks
# title: MLP(3, [4, 4, 1])
# about: 41 weights. Neurons are closed; drag any weight of theirs.
import random
from micrograd import draw, nn

random.seed(1337)
model = nn.MLP(3, [4, 4, 1], activation="tanh")
print(model, "has", len(model.parameters()), "parameters")

xs = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
ys = [1.0, -1.0, -1.0, 1.0]
out = model(xs[0])
loss = (out - ys[0])**2
loss.label = "loss"
loss.backward()
draw(loss, groups=model)
