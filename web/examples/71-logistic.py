# chapter: From the lectures
# title: Logistic regression
# about: Lecture 8: the cross-entropy of a probability, and its gradient.
from micrograd import Value
from playground import Curve

hours = [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0]
passed = [0, 0, 0, 1, 0, 1, 1, 1]
w, b = Value(0.0, label="w"), Value(0.0, label="b")
losses = Curve("cross-entropy")
for step in range(150):
    loss = 0.0
    for x, y in zip(hours, passed):
        p = (w*x + b).sigmoid()
        loss = loss - (p.log() if y else (1 - p).log())
    loss = loss / len(hours)
    w.grad = b.grad = 0.0
    loss.backward()
    for p in (w, b):
        p.data -= 0.5 * p.grad
    losses.add(loss)
print(f"with 2.25 hours: {(w*2.25 + b).sigmoid().data:.0%}")
