"""An influenza epidemic at a boarding school: rates fitted through a differential equation, with their uncertainty.

    python examples/influenza.py

Boys confined to bed, 22 January to 4 February 1978, of 763 (British Medical Journal, 4 March 1978, page 587).  The
model of Kermack and McKendrick (1927), in numbers of the susceptible and the infected:

    S' = −β S I / N,    I' = β S I / N − γ I.

Its solution is fitted by least squares, whose Jacobian is that of ``solve_ivp``.  What follows from the rates, such as
the day of the peak (an event of the solution), has the standard error of the delta method, sqrt(gᵀ C g) with its
gradient g and the covariance C of the fit.
"""

import numpy as np

from dotbar import value_and_grad
from dotbar.scipy.integrate import solve_ivp
from dotbar.scipy.optimize import curve_fit

IN_BED = np.array([3, 8, 26, 76, 225, 298, 258, 233, 189, 128, 68, 29, 14, 4])
DAYS = np.arange(len(IN_BED))
BOYS = 763


def rates(t, y, infection, recovery):
    """(S', I')."""
    susceptible, ill = y
    infected = infection * susceptible * ill / BOYS
    return np.stack([-infected, infected - recovery * ill])


def solution(infection, recovery, initial, **options):
    """The course of the epidemic from the number infected on the first day."""
    start = np.stack([BOYS - initial, initial])
    span = (0, DAYS[-1])
    return solve_ivp(rates, span, start, args=(infection, recovery), rtol=1e-8, atol=1e-6, **options)


def infected(days, *parameters):
    """The number infected on each day."""
    return solution(*parameters, t_eval=days).y[1]


def reproduction_number(parameters):
    """How many boys the first one infects, β/γ."""
    infection, recovery, _ = parameters
    return infection / recovery


def peak_day(parameters):
    """When I' = 0: an event of the solution."""
    turns = lambda t, y, *args: rates(t, y, *args)[1]
    turns.direction = -1
    return solution(*parameters, events=turns).t_events[0][0]


def never_infected(parameters):
    """The number of boys who have not been ill by the last day."""
    return solution(*parameters).y[0, -1]


def main():
    parameters, covariance = curve_fit(infected, DAYS, IN_BED, p0=[2.0, 0.5, 3.0])
    print(f"infection {parameters[0]:.3f}, recovery {parameters[1]:.3f} per day, first infected {parameters[2]:.1f}")
    estimates = {}
    for quantity in (reproduction_number, peak_day, never_infected):
        value, g = value_and_grad(quantity)(parameters)
        estimates[quantity.__name__] = value, np.sqrt(g @ covariance @ g)
        print(f"{quantity.__name__.replace('_', ' '):20} {value:6.2f} ± {estimates[quantity.__name__][1]:.2f}")
    assert np.sqrt(np.mean((infected(DAYS, *parameters) - IN_BED) ** 2)) < 20
    assert 3.5 < estimates["reproduction_number"][0] < 4.2
    assert 4.5 < estimates["peak_day"][0] < 6.5

    # The standard errors agree with what repeated experiments give: fit data drawn from the model.
    rng = np.random.default_rng(0)
    noise = np.sqrt(np.sum((infected(DAYS, *parameters) - IN_BED) ** 2) / (len(DAYS) - 3))
    fits = []
    for _ in range(20):
        data = infected(DAYS, *parameters) + noise * rng.standard_normal(len(DAYS))
        fits.append(curve_fit(infected, DAYS, data, p0=parameters)[0])
    for quantity in (reproduction_number, peak_day, never_infected):
        spread = np.std([quantity(fit) for fit in fits])
        assert 0.6 < spread / estimates[quantity.__name__][1] < 1.6


if __name__ == "__main__":
    main()
