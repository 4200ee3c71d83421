# chapter: From the lectures
# title: The perceptron
# about: Lecture 11: a mistake moves the weights; without one they rest.
from micrograd import Value
from playground import Curve

points = [(1.0, 2.0, 1), (2.0, 0.5, 1), (0.2, 1.5, 1), (-1.0, -0.5, -1), (-0.3, -2.0, -1), (0.4, -1.2, -1)]
w1, w2, b = Value(-0.5), Value(0.2), Value(0.0)
mistakes = Curve("mistakes in a round")
for turn in range(10):
    wrong = 0
    for x1, x2, y in points:
        score = w1*x1 + w2*x2 + b
        if y * score.data <= 0:  # the perceptron's rule
            wrong += 1
            for p in (w1, w2, b):
                p.grad = 0.0
            (-y * score).backward()
            for p in (w1, w2, b):
                p.data -= p.grad
    mistakes.add(wrong)
    if not wrong:
        break
print(f"after {turn + 1} rounds: {w1.data:.2f} x1 + {w2.data:+.2f} x2 {b.data:+.2f} = 0")
