# chapter: From the lectures
# title: Linear regression, one step
# about: Lecture 3: a mean of squared errors of three points; drag w and b to make it small.
from micrograd import Value, draw

w, b = Value(0.5, label="w"), Value(0.0, label="b")
data = [(1.0, 2.1), (2.0, 3.9), (3.0, 6.2)]
loss = sum((w*x + b - y)**2 for x, y in data) / len(data)
loss.label = "loss"
loss.backward()
draw(loss)
