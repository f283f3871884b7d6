"""The tangent of a product is the product of the tangents."""
# caught by: dual_arithmetic
# hint: (a + ȧε)(b + ḃε): the tangent is ȧb + aḃ; the product of tangents belongs to ε², which is 0.


# %% dual
class Dual:
    """A number `value` with its derivative `tangent` along one direction."""

    def __init__(self, value, tangent=0.0):
        self.value = value
        self.tangent = tangent

    def __repr__(self):
        return f"Dual({self.value}, {self.tangent})"

    @staticmethod
    def lift(other):
        """A plain number is a constant: its tangent is 0."""
        return other if isinstance(other, Dual) else Dual(other, 0.0)

    def __gt__(self, other):
        return self.value > Dual.lift(other).value

    def __lt__(self, other):
        return self.value < Dual.lift(other).value

    def __neg__(self):
        return Dual(-self.value, -self.tangent)

    def __add__(self, other):
        other = Dual.lift(other)
        return Dual(self.value + other.value, self.tangent + other.tangent)

    def __sub__(self, other):
        other = Dual.lift(other)
        return Dual(self.value - other.value, self.tangent - other.tangent)

    def __mul__(self, other):
        other = Dual.lift(other)
        tangent = self.tangent * other.tangent
        return Dual(self.value * other.value, tangent)

    def __truediv__(self, other):
        other = Dual.lift(other)
        tangent = (self.tangent * other.value - self.value * other.tangent) / other.value**2
        return Dual(self.value / other.value, tangent)

    def __pow__(self, other):
        other = Dual.lift(other)
        value = self.value**other.value
        tangent = 0.0
        if other.value != 0:
            tangent = other.value * self.value ** (other.value - 1) * self.tangent
        if other.tangent != 0 and self.value > 0:
            tangent = tangent + value * math.log(self.value) * other.tangent
        return Dual(value, tangent)

    # The reversed operators: Python calls them for `2 + x`, `2 - x`, `2 * x`, `2 / x` and `2 ** x`.
    def __radd__(self, other):
        return Dual.lift(other) + self

    def __rsub__(self, other):
        return Dual.lift(other) - self

    def __rmul__(self, other):
        return Dual.lift(other) * self

    def __rtruediv__(self, other):
        return Dual.lift(other) / self

    def __rpow__(self, other):
        return Dual.lift(other) ** self

    def exp(self):
        value = math.exp(self.value)
        return Dual(value, value * self.tangent)

    def log(self):
        return Dual(math.log(self.value), self.tangent / self.value)

    def sin(self):
        return Dual(math.sin(self.value), math.cos(self.value) * self.tangent)

    def cos(self):
        return Dual(math.cos(self.value), -math.sin(self.value) * self.tangent)

    def tanh(self):
        value = math.tanh(self.value)
        return Dual(value, (1.0 - value * value) * self.tangent)

    def relu(self):
        return Dual(self.value, self.tangent) if self.value > 0 else Dual(0.0, 0.0)
