"""SciPy's special functions in mpmath, by name, and points at which derivatives are compared.

A function with several results has one reference for each, None where there is none.
"""

import mpmath as mp
import numpy as np
import scipy.special as sc


def grid(*axes):
    return [tuple(map(float, p)) for p in zip(*(a.ravel() for a in np.meshgrid(*axes)))]


def entries(*arrays):
    """The points that arrays give entry by entry."""
    return [tuple(map(float, p)) for p in zip(*(a.ravel() for a in np.broadcast_arrays(*arrays)))]


# ---------------------------------------------------------------- distributions and their kin


def normal_cdf(x):
    return mp.erfc(-x / mp.sqrt(2)) / 2


def wofz(z):
    return mp.exp(-z * z) * mp.erfc(-1j * z)


def upper_gamma(a, x):
    return mp.gammainc(a, x, mp.inf, regularized=True)


def lower_gamma(a, x):
    return mp.gammainc(a, 0, x, regularized=True)


def lower_beta(a, b, x):
    return mp.betainc(a, b, 0, x, regularized=True)


def upper_beta(a, b, x):
    return mp.betainc(b, a, 0, 1 - x, regularized=True)


def student(v, t):
    """The distribution function less 1/2."""
    return (
        t * mp.gamma((v + 1) / 2) / mp.gamma(v / 2) / mp.sqrt(mp.pi * v) * mp.hyp2f1(0.5, (v + 1) / 2, 1.5, -t * t / v)
    )


def poisson_mean(f, m):
    return mp.fsum(mp.exp(-m) * m**j / mp.factorial(j) * f(j) for j in range(60))


def chi_square(x, k, nc):
    return poisson_mean(lambda j: lower_gamma(k / 2 + j, x / 2), nc / 2)


def noncentral_f(n, d, nc, f):
    return poisson_mean(lambda j: lower_beta(n / 2 + j, d / 2, n * f / (d + n * f)), nc / 2)


def noncentral_t(v, d, t):
    """Over the logarithm of the scale of mean 1."""
    a = v / 2
    density = lambda s: mp.exp(a * (s - mp.expm1(s) - 1 + mp.log(a)) - mp.loggamma(a))
    ends = [k / mp.sqrt(a) for k in (-40, -9, -4, -1, 0, 1, 4, 9)]
    return mp.quad(lambda s: density(s) * mp.ncdf(t * mp.exp(s / 2) - d), ends)


def f_distribution(n, d, x):
    return lower_beta(n / 2, d / 2, n * x / (d + n * x))


def binomial(k, n, p):
    return lower_beta(n - mp.floor(k), mp.floor(k) + 1, 1 - p)


def continuous_binomial(k, n, p):
    return lower_beta(n - k, k + 1, 1 - p)


def negative_binomial(k, n, p):
    return lower_beta(n, k + 1, p)


def poisson(k, m):
    return upper_gamma(mp.floor(k) + 1, m)


def voigt(x, s, g):
    return mp.re(wofz((x + 1j * g) / (s * mp.sqrt(2)))) / (s * mp.sqrt(2 * mp.pi))


def quantile(p, shape):
    """Of Tukey's distribution."""
    return (p**shape - (1 - p) ** shape) / shape if shape else mp.log(p / (1 - p))


def kolmogorov(x):
    return 2 * mp.fsum((-1) ** (k - 1) * mp.exp(-2 * k * k * x * x) for k in range(1, 40))


def smirnov(n, d):
    n = int(n)
    last = int(mp.floor(n * (1 - d)))
    return d * mp.fsum(
        mp.binomial(n, j) * (d + mp.mpf(j) / n) ** (j - 1) * (1 - d - mp.mpf(j) / n) ** (n - j) for j in range(last + 1)
    )


def inverse(f, place, guess):
    """The solution y of f(…, y, …) = x by Newton's method from SciPy's value."""

    def solve(*xs):
        at = lambda y: f(*xs[:place], y, *xs[place + 1 :]) - xs[place]
        return mp.findroot(at, mp.mpf(float(guess(*map(float, xs)))))

    return solve


# ---------------------------------------------------------------- elementary functions and integrals


def boxcox(x, p):
    return mp.expm1(p * mp.log(x)) / p if p else mp.log(x)


def inv_boxcox(y, p):
    return mp.exp(mp.log1p(p * y) / p) if p else mp.exp(y)


def huber(delta, r):
    return r * r / 2 if abs(r) <= delta else delta * (abs(r) - delta / 2)


def integral(f, start=0):
    """From anywhere: the derivative is meant."""
    return lambda x: mp.quad(f, [start, x])


def along_cosh(f):
    """∫ f(x cosh u, cosh u) du over u > 0, as of K₀(x) = ∫ exp(−x cosh u) du.  DLMF 10.32.9."""
    return lambda x: mp.quad(lambda u: f(x * mp.cosh(u), mp.cosh(u)), [0, 1, 2, 4, 8])


def wright(a, b, x):
    return mp.nsum(lambda k: mp.mpf(x) ** k * mp.rgamma(a * k + b) / mp.factorial(k), [0, mp.inf])


def struve_moment(a, p, v):
    return mp.quad(lambda t: t**p * mp.besselj(v, 2 * a * t), [0, 1])


def zeta_power(x):
    return 2 * x * mp.sqrt(x) / 3


def spherical(f):
    return lambda n, x: mp.sqrt(mp.pi / 2) * f(n + 0.5, x) / mp.sqrt(x)


def slope(f):
    return lambda *xs: mp.diff(lambda x: f(*xs[:-1], x), xs[-1])


def multigammaln(a, d):
    return d * (d - 1) / mp.mpf(4) * mp.log(mp.pi) + mp.fsum(mp.loggamma(a - mp.mpf(j) / 2) for j in range(int(d)))


REFERENCES = {
    # Bessel functions
    "j0": lambda x: mp.besselj(0, x),
    "j1": lambda x: mp.besselj(1, x),
    "y0": lambda x: mp.bessely(0, x),
    "y1": lambda x: mp.bessely(1, x),
    "i0": lambda x: mp.besseli(0, x),
    "i1": lambda x: mp.besseli(1, x),
    "k0": lambda x: mp.besselk(0, x),
    "k1": lambda x: mp.besselk(1, x),
    "i0e": lambda x: mp.exp(-abs(x)) * mp.besseli(0, x),
    "i1e": lambda x: mp.exp(-abs(x)) * mp.besseli(1, x),
    "k0e": lambda x: mp.exp(x) * mp.besselk(0, x),
    "k1e": lambda x: mp.exp(x) * mp.besselk(1, x),
    "yn": mp.bessely,
    "kn": mp.besselk,
    "jv": mp.besselj,
    "yv": mp.bessely,
    "iv": mp.besseli,
    "kv": mp.besselk,
    "jve": mp.besselj,
    "yve": mp.bessely,
    "ive": lambda v, x: mp.exp(-abs(x)) * mp.besseli(v, x),
    "kve": lambda v, x: mp.exp(x) * mp.besselk(v, x),
    "hankel1": mp.hankel1,
    "hankel2": mp.hankel2,
    "hankel1e": lambda v, x: mp.exp(-1j * x) * mp.hankel1(v, x),
    "hankel2e": lambda v, x: mp.exp(1j * x) * mp.hankel2(v, x),
    "spherical_jn": spherical(mp.besselj),
    "spherical_yn": spherical(mp.bessely),
    "spherical_in": spherical(mp.besseli),
    "spherical_kn": spherical(mp.besselk),
    "jvp": lambda v, x, n: mp.besselj(v, x, int(n)),
    "yvp": lambda v, x, n: mp.bessely(v, x, int(n)),
    "ivp": lambda v, x, n: mp.besseli(v, x, int(n)),
    # Airy and Kelvin functions
    "airy": (mp.airyai, lambda x: mp.airyai(x, derivative=1), mp.airybi, lambda x: mp.airybi(x, derivative=1)),
    "airye": (
        lambda x: mp.airyai(x) * mp.exp(zeta_power(x)),
        lambda x: mp.airyai(x, derivative=1) * mp.exp(zeta_power(x)),
        lambda x: mp.airybi(x) * mp.exp(-zeta_power(x)),
        lambda x: mp.airybi(x, derivative=1) * mp.exp(-zeta_power(x)),
    ),
    "itairy": (
        lambda x: mp.airyai(x, derivative=-1),
        lambda x: mp.airybi(x, derivative=-1),
        lambda x: -mp.airyai(-x, derivative=-1),
        lambda x: -mp.airybi(-x, derivative=-1),
    ),
    "ber": lambda x: mp.ber(0, x),
    "bei": lambda x: mp.bei(0, x),
    "ker": lambda x: mp.ker(0, x),
    "kei": lambda x: mp.kei(0, x),
    "berp": slope(lambda x: mp.ber(0, x)),
    "beip": slope(lambda x: mp.bei(0, x)),
    "kerp": slope(lambda x: mp.ker(0, x)),
    "keip": slope(lambda x: mp.kei(0, x)),
    "itj0y0": (integral(mp.j0), integral(lambda t: mp.bessely(0, t), 1)),
    "iti0k0": (integral(lambda t: mp.besseli(0, t)), along_cosh(lambda t, c: -mp.exp(-t) / c)),
    "it2j0y0": (
        lambda x: x * x / 8 * mp.hyper([1, 1], [2, 2, 2], -x * x / 4),
        integral(lambda t: -mp.bessely(0, t) / t, 1),
    ),
    "it2i0k0": (
        lambda x: x * x / 8 * mp.hyper([1, 1], [2, 2, 2], x * x / 4),
        along_cosh(lambda t, c: mp.e1(t)),
    ),
    "itstruve0": integral(lambda t: mp.struveh(0, t)),
    "itmodstruve0": integral(lambda t: mp.struvel(0, t)),
    "it2struve0": integral(lambda t: -mp.struveh(0, t) / t, 1),
    # elementary functions
    "entr": lambda x: -x * mp.log(x),
    "rel_entr": lambda x, y: x * mp.log(x / y),
    "kl_div": lambda x, y: x * mp.log(x / y) - x + y,
    "xlogy": lambda x, y: x * mp.log(y),
    "xlog1py": lambda x, y: x * mp.log1p(y),
    "huber": huber,
    "pseudo_huber": lambda delta, r: delta**2 * (mp.sqrt(1 + (r / delta) ** 2) - 1),
    "boxcox": boxcox,
    "boxcox1p": lambda x, p: boxcox(1 + x, p),
    "inv_boxcox": inv_boxcox,
    "inv_boxcox1p": lambda y, p: inv_boxcox(y, p) - 1,
    "powm1": lambda x, y: x**y - 1,
    "cbrt": mp.cbrt,
    "exp2": lambda x: mp.mpf(2) ** x,
    "exp10": lambda x: mp.mpf(10) ** x,
    "expm1": mp.expm1,
    "log1p": mp.log1p,
    "cosm1": lambda x: mp.cos(x) - 1,
    "sindg": lambda x: mp.sin(mp.radians(x)),
    "cosdg": lambda x: mp.cos(mp.radians(x)),
    "tandg": lambda x: mp.tan(mp.radians(x)),
    "cotdg": lambda x: mp.cot(mp.radians(x)),
    "radian": lambda d, m, s: mp.radians(d + m / 60 + s / 3600),
    "sinc": mp.sincpi,
    "expit": lambda x: 1 / (1 + mp.exp(-x)),
    "logit": lambda x: mp.log(x / (1 - x)),
    "log_expit": lambda x: -mp.log1p(mp.exp(-x)),
    "softplus": lambda x: mp.log1p(mp.exp(x)),
    # elliptic integrals and functions
    "elliprf": mp.elliprf,
    "elliprg": mp.elliprg,
    "elliprc": mp.elliprc,
    "elliprd": mp.elliprd,
    "elliprj": mp.elliprj,
    "ellipk": mp.ellipk,
    "ellipkm1": lambda p: mp.ellipk(1 - p),
    "ellipe": mp.ellipe,
    "ellipkinc": mp.ellipf,
    "ellipeinc": mp.ellipe,
    "ellipj": (
        *(lambda u, m, name=name: mp.ellipfun(name, u, m) for name in ("sn", "cn", "dn")),
        lambda u, m: mp.atan2(mp.ellipfun("sn", u, m), mp.ellipfun("cn", u, m)),
    ),
    "agm": lambda a, b: mp.sign(a) * mp.agm(abs(a), abs(b)),
    # error functions
    "wofz": wofz,
    "erfcx": lambda x: mp.exp(x * x) * mp.erfc(x),
    "dawsn": lambda x: mp.im(wofz(x)) * mp.sqrt(mp.pi) / 2,
    "erf": mp.erf,
    "erfc": mp.erfc,
    "erfi": mp.erfi,
    "erfinv": mp.erfinv,
    "erfcinv": lambda y: mp.erfinv(1 - y),
    "ndtr": normal_cdf,
    "log_ndtr": lambda x: mp.log(normal_cdf(x)),
    "ndtri": lambda y: mp.sqrt(2) * mp.erfinv(2 * y - 1),
    "ndtri_exp": inverse(lambda y: mp.log(normal_cdf(y)), 0, sc.ndtri_exp),
    "voigt_profile": voigt,
    "owens_t": lambda h, a: mp.quad(lambda t: mp.exp(-h * h * (1 + t * t) / 2) / (1 + t * t), [0, a]) / (2 * mp.pi),
    "fresnel": (mp.fresnels, mp.fresnelc),
    # exponential integrals and their kin
    "expi": mp.ei,
    "exp1": mp.e1,
    "expn": mp.expint,
    "sici": (mp.si, mp.ci),
    "shichi": (mp.shi, mp.chi),
    "exprel": lambda x: mp.expm1(x) / x,
    "spence": lambda x: mp.polylog(2, 1 - x),
    "lambertw": mp.lambertw,
    "wrightomega": lambda x: mp.lambertw(mp.exp(x)),
    # the gamma function and its kin
    "psi": mp.digamma,
    "polygamma": lambda n, x: mp.polygamma(int(n), x),
    "gamma": mp.gamma,
    "gammaln": lambda x: mp.log(abs(mp.gamma(x))),
    "loggamma": mp.loggamma,
    "rgamma": mp.rgamma,
    "multigammaln": multigammaln,
    "poch": mp.rf,
    "binom": mp.binomial,
    "comb": mp.binomial,
    "perm": mp.ff,
    "factorial": mp.factorial,
    "beta": mp.beta,
    "betaln": lambda a, b: mp.log(mp.beta(a, b)),
    "zeta": mp.zeta,
    "zetac": lambda x: mp.zeta(x) - 1,
    "gammainc": lower_gamma,
    "gammaincc": upper_gamma,
    "gammaincinv": inverse(lower_gamma, 1, sc.gammaincinv),
    "gammainccinv": inverse(upper_gamma, 1, sc.gammainccinv),
    "betainc": lower_beta,
    "betaincc": upper_beta,
    "betaincinv": inverse(lower_beta, 2, sc.betaincinv),
    "betainccinv": inverse(upper_beta, 2, sc.betainccinv),
    # distributions
    "stdtr": student,
    "stdtrit": inverse(lambda v, t: student(v, t) + 0.5, 1, sc.stdtrit),
    "stdtridf": inverse(lambda v, t: student(v, t) + 0.5, 0, sc.stdtridf),
    "chndtr": chi_square,
    "chndtrix": inverse(chi_square, 0, sc.chndtrix),
    "chndtridf": inverse(chi_square, 1, sc.chndtridf),
    "chndtrinc": inverse(chi_square, 2, sc.chndtrinc),
    "ncfdtr": noncentral_f,
    "ncfdtridfn": inverse(noncentral_f, 0, sc.ncfdtridfn),
    "ncfdtridfd": inverse(noncentral_f, 1, sc.ncfdtridfd),
    "ncfdtrinc": inverse(noncentral_f, 2, sc.ncfdtrinc),
    "ncfdtri": inverse(noncentral_f, 3, sc.ncfdtri),
    "nctdtr": noncentral_t,
    "bdtr": binomial,
    "bdtrc": lambda k, n, p: 1 - binomial(k, n, p),
    "bdtri": inverse(binomial, 2, lambda k, n, y: sc.bdtri(k, int(n), y)),
    "bdtrik": inverse(continuous_binomial, 0, sc.bdtrik),
    "bdtrin": inverse(continuous_binomial, 1, sc.bdtrin),
    "nbdtr": negative_binomial,
    "nbdtrc": lambda k, n, p: 1 - negative_binomial(k, n, p),
    "nbdtri": inverse(negative_binomial, 2, lambda k, n, y: sc.nbdtri(int(k), int(n), y)),
    "nbdtrik": inverse(negative_binomial, 0, sc.nbdtrik),
    "nbdtrin": inverse(negative_binomial, 1, sc.nbdtrin),
    "pdtr": poisson,
    "pdtrc": lambda k, m: 1 - poisson(k, m),
    "pdtri": inverse(poisson, 1, lambda k, y: sc.pdtri(int(k), y)),
    "pdtrik": inverse(lambda k, m: upper_gamma(k + 1, m), 0, sc.pdtrik),
    "gdtr": lambda a, b, x: lower_gamma(b, a * x),
    "gdtrc": lambda a, b, x: upper_gamma(b, a * x),
    "gdtria": inverse(lambda a, b, x: lower_gamma(b, a * x), 0, sc.gdtria),
    "gdtrib": inverse(lambda a, b, x: lower_gamma(b, a * x), 1, sc.gdtrib),
    "gdtrix": inverse(lambda a, b, x: lower_gamma(b, a * x), 2, sc.gdtrix),
    "chdtr": lambda v, x: lower_gamma(v / 2, x / 2),
    "chdtrc": lambda v, x: upper_gamma(v / 2, x / 2),
    "chdtri": inverse(lambda v, x: upper_gamma(v / 2, x / 2), 1, sc.chdtri),
    "chdtriv": inverse(lambda v, x: lower_gamma(v / 2, x / 2), 0, sc.chdtriv),
    "fdtr": f_distribution,
    "fdtrc": lambda n, d, x: 1 - f_distribution(n, d, x),
    "fdtri": inverse(f_distribution, 2, sc.fdtri),
    "fdtridfd": inverse(f_distribution, 1, sc.fdtridfd),
    "btdtria": inverse(lower_beta, 0, sc.btdtria),
    "btdtrib": inverse(lower_beta, 1, sc.btdtrib),
    "nrdtrimn": inverse(lambda mean, deviation, x: normal_cdf((x - mean) / deviation), 0, sc.nrdtrimn),
    "nrdtrisd": inverse(lambda mean, deviation, x: normal_cdf((x - mean) / deviation), 1, sc.nrdtrisd),
    "tklmbda": inverse(quantile, 0, sc.tklmbda),
    "kolmogorov": kolmogorov,
    "kolmogi": inverse(kolmogorov, 0, sc.kolmogi),
    "smirnov": smirnov,
    "smirnovi": inverse(smirnov, 1, lambda n, y: sc.smirnovi(int(n), y)),
    # hypergeometric functions
    "hyp0f1": mp.hyp0f1,
    "hyp1f1": mp.hyp1f1,
    "hyp2f1": mp.hyp2f1,
    "hyperu": mp.hyperu,
    # orthogonal polynomials, Legendre functions, spherical harmonics
    "eval_jacobi": mp.jacobi,
    "eval_gegenbauer": lambda n, a, x: mp.gegenbauer(n, a, x, zeroprec=200),
    "eval_legendre": mp.legendre,
    "eval_chebyt": mp.chebyt,
    "eval_chebyu": mp.chebyu,
    "eval_chebyc": lambda n, x: 2 * mp.chebyt(n, x / 2),
    "eval_chebys": lambda n, x: mp.chebyu(n, x / 2),
    "eval_sh_legendre": lambda n, x: mp.legendre(n, 2 * x - 1),
    "eval_sh_chebyt": lambda n, x: mp.chebyt(n, 2 * x - 1),
    "eval_sh_chebyu": lambda n, x: mp.chebyu(n, 2 * x - 1),
    "eval_sh_jacobi": lambda n, p, q, x: mp.jacobi(n, p - q, q - 1, 2 * x - 1) / mp.binomial(2 * n + p - 1, n),
    "eval_laguerre": lambda n, x: mp.laguerre(n, 0, x),
    "eval_genlaguerre": mp.laguerre,
    "assoc_laguerre": lambda x, n, k: mp.laguerre(n, k, x),
    "eval_hermite": mp.hermite,
    "eval_hermitenorm": lambda n, x: mp.hermite(n, x / mp.sqrt(2)) / mp.sqrt(2) ** n,
    "lpmv": lambda m, v, x: mp.legenp(v, m, x),
    "legendre_p": mp.legendre,
    "sph_harm_y": mp.spherharm,
    "sph_legendre_p": lambda n, m, theta: mp.spherharm(n, m, theta, 0),
    # Struve, parabolic cylinder and Wright's functions
    "struve": mp.struveh,
    "modstruve": mp.struvel,
    "besselpoly": struve_moment,
    "pbdv": (mp.pcfd, None),
    "pbvv": (lambda v, x: mp.pcfv(-v - 0.5, x), None),
    "pbwa": (mp.pcfw, None),
    "wright_bessel": wright,
    "log_wright_bessel": lambda a, b, x: mp.log(wright(a, b, x)),
}


# ---------------------------------------------------------------- points

ORDERS = [0.0, 1e-6, 0.5, 2.0, 30.2, -0.3, -2.0, -7.5]
"""Of Bessel functions."""

PARAMETERS = np.array([0.0, 1e-9, 0.5, 1 - 1e-6, -0.3, -40.0])
AMPLITUDES = np.array([0.0, 1e-4, 1.2, np.pi / 2, -1.3, 4.0, -20.0])
"""Of elliptic integrals."""
CARLSON = np.array(
    [[0.3, 1.2, 1.2, 2.0, 1e-6], [1.2, 0.4, 1.2, 2.5, 0.4], [2.5, 0.4, 1.2, 2.5, 30], [0.7, 3, 1.2, 2, 1]]
)
"""The variables x, y, z, p of Carlson's integrals."""

HYPERGEOMETRIC = np.array([[0.3, -1.7, 2.5, 1.0, -2.0], [1.2, 0.4, -0.6, 2.0, 3.3], [0.7, 1.5, 2.2, 4.5, 0.9]])
"""The parameters a, b, c of hypergeometric functions."""

INTERVAL = np.array([-0.97, -0.4, 0.0, 0.3, 0.999, 1.0])
ALPHA = np.array([-0.4, 0.3, 1.7, 0.8, 2.2, 0.5])
BETAS = np.array([0.2, -0.7, 0.4, 0.0, 1.0, 3.1])
"""Of orthogonal polynomials."""
DEGREES = np.array([0.4, 7.3, 23.0])

BETA = [(a, b, r * a / (a + b)) for a in (0.05, 1.0, 60.0) for b in (0.3, 4.0, 30.0) for r in (0.01, 0.9)]
"""Below the mean of the beta distribution."""

POINTS = {
    **dict.fromkeys(("jv", "yv", "iv", "kv", "hankel1", "hankel2"), grid(ORDERS, [1e-6, 2.5, 9.0, 27.0, 300.0])),
    **dict.fromkeys(("hankel1e", "hankel2e"), grid(ORDERS, [2.5, 9.0, 27.0, 300.0])),
    "rgamma": grid([-3.0, -2 + 1e-9, -0.3, 0.0, 0.5, 20.0]),
    "psi": grid([-2.3, 1e-3, 0.7, 12.0, 1e5]),
    "poch": grid([0.3, 4.0, 50.0], [0.5, 3.0, -0.2]),
    "betaln": grid([0.01, 2.0, 30.0, 1e6], [0.5, 1.3]),
    "binom": [(3.0, 5.0), (4.5, 2.0), (10.0, 3.5), (6.0, -1.0)],
    "zeta": grid([1.01, 2.0, 7.5, 40.0], [0.2, 1.0, 30.0]),
    "zetac": grid([-20.5, -4.0, -0.3, 0.0, 0.5, 3.0]),
    "gammainc": [
        *((a, r * a) for a in (0.1, 2.5, 40.0) for r in (0.01, 0.5, 1.0)),
        *((a, r * a + 1) for a in (1e-3, 0.1, 2.5, 40.0) for r in (1.0, 2.0)),
    ],
    "gammaincinv": grid([0.3, 8.0], [0.01, 0.7]),
    "betainc": BETA,
    "betaincc": [(a, b, 1 - x) for b, a, x in BETA],
    "betaincinv": grid([0.6, 8.0], [1.5], [0.1, 0.7]),
    "erfcx": grid([-3.0, 0.0, 2.0, 5.9, 6.1, 300.0]),
    "dawsn": grid([-6.1, 0.3, 5.9, 40.0]),
    "log_ndtr": grid([-100.0, -30.0, -3.0, 0.0, 8.0]),
    "ndtri_exp": grid([-30.0, -0.1]),
    "voigt_profile": grid([-7.5, -1.3, 0.4, 3.2], [0.3, 2.0], [0.2, 1.5]),
    "stdtr": grid([0.3, 3.0, 25.0, 1e5], [-2.0, 0.01, 1.4, 4.0]),
    **dict.fromkeys(("fdtr", "fdtrc"), grid([0.3, 7.0, 2e3], [0.6, 9.0, 3e4], [0.8, 1.2])),
    "stdtrit": grid([0.7, 30.0], [0.1, 0.6]),
    "chndtr": grid([0.5, 6.0], [0.5, 4.0], [0.2, 5.0]),
    "ncfdtr": grid([2.0, 9.0], [5.0], [0.2, 5.0], [0.4]),
    "nctdtr": [(3.0, 1.0, 2.0), (30.0, -1.0, 0.5), (1e3, 0.5, 1.0)],
    "tklmbda": grid([-1.3, 0.4], [-0.5, 0.2]),
    "boxcox": grid([0.01, 0.9, 30.0], [-2.0, 1e-9, 3.0]),
    "ellipk": entries(PARAMETERS),
    "ellipe": entries(PARAMETERS),
    "ellipkm1": grid([1e-12, 1e-3, 0.5, 1.0, 7.0]),
    **dict.fromkeys(("ellipkinc", "ellipeinc"), grid(AMPLITUDES, [0.0, 1e-9, 0.5, 0.99, -0.3, -40.0])),
    **dict.fromkeys(("elliprf", "elliprd", "elliprg"), entries(*CARLSON[:3])),
    "elliprc": entries(*CARLSON[:2]),
    "elliprj": entries(*CARLSON),
    "ellipj": grid([1e-3, 0.701, -1.999, 6.501], [1e-6, 0.3, 0.95]),
    "hyp0f1": entries(HYPERGEOMETRIC[2], np.array([[1e-9], [0.3], [200.0], [-3.0], [-200.0]])),
    "hyp1f1": entries(*HYPERGEOMETRIC[::2], np.array([[1e-9], [0.3], [12.0], [150.0], [-3.0], [-150.0]])),
    "hyp2f1": entries(*HYPERGEOMETRIC, np.array([[1e-9], [0.5], [0.97], [-0.8], [-40.0]])),
    "hyperu": entries(*HYPERGEOMETRIC[:2], np.array([[1e-3], [0.4], [3.0], [60.0]])),
    "eval_jacobi": entries(DEGREES[:, None], ALPHA, BETAS, INTERVAL),
    "eval_gegenbauer": entries(DEGREES[:, None], ALPHA + 0.5, INTERVAL),
    "eval_genlaguerre": entries(DEGREES[:, None], ALPHA, np.array([-3.0, 0.0, 0.2, 4.0, 30.0, 100.0])),
    **dict.fromkeys(("eval_legendre", "eval_chebyt", "eval_chebyu"), grid(DEGREES, INTERVAL[:-1])),
    "eval_laguerre": grid(DEGREES, 20 * INTERVAL[:-1]),
    "struve": grid([-1.2, 0.0, 0.5, 3.3, 20.0], [0.01, 3.0, 40.0]),
    "modstruve": grid([-1.2, 0.5, 3.3, 20.0], [0.01, 3.0, 40.0]),
    "pbdv": grid([-2.5, 0.0, 1.0, 6.3], [-5.0, 0.0, 0.7, 8.0]),
    "pbvv": grid([-2.5, 0.3, 6.3], [-2.0, 0.7, 5.0]),
    "pbwa": grid([-2.0, 0.0, 1.0], [-2.0, 0.7, 3.0]),
}
"""Where derivatives are compared, for functions of which the samples' points would not do."""
