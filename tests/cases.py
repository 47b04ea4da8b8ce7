"""What has a derivative: the cases, whether each works, and how.  ``python tests/cases.py`` writes docs/coverage.md.

A case is a function with the argument that is differentiated.  It works if a sample that names it passes the checks of
``test_registry.py`` and ``test_jit.py``; ``test_cases.py`` sees to it that each case has one.
"""

import re
import textwrap
from pathlib import Path

import numpy as np
from refusals import MODULES, refused
from samples import Sample, all_samples, constants
from walk import refused_arguments

from dotbar import jit, vjp
from dotbar.compiler.run import supported
from dotbar.compiler.simplify import simplify
from dotbar.core import RULES, dtype_of, full_name
from dotbar.tree import flatten

GROUPS = {
    "numpy ufuncs": """
        negative; positive; absolute; abs; fabs; reciprocal; square; sqrt; cbrt; exp; exp2; expm1; log; log2; log10;
        log1p; sin; cos; tan; arcsin; arccos; arctan; sinh; cosh; tanh; arcsinh; arccosh; arctanh; deg2rad; rad2deg;
        degrees; radians; sign; floor; ceil; rint; trunc; add; subtract; multiply; divide; true_divide; power;
        float_power; arctan2; hypot; logaddexp; logaddexp2; maximum; minimum; fmax; fmin; mod; remainder; fmod;
        copysign; heaviside; floor_divide; modf; divmod; frexp; ldexp; nextafter(x); **spacing(nondiff)**; matmul;
        vecdot; matvec; vecmat; conj; real; imag; angle; abs(complex); exp(complex); log(complex); sqrt(complex);
        power(complex); sign(complex); sin(complex); tanh(complex); arcsin(complex); arctan(complex);
        log1p(complex); expm1(complex)
    """,
    "numpy elementwise, polynomials, interpolation": """
        nan_to_num; real_if_close; sinc; i0; clip; clip wrt bounds; round; fix; unwrap; where; select; piecewise;
        choose; interp wrt x; interp wrt fp; interp wrt xp; poly ops: polyval; polyfit; poly; polymul; polyder;
        polyint; roots; polydiv; cross; vectorize; apply_along_axis; histogram weights; bincount weights;
        bartlett/kaiser(beta); float_power neg; digitize/searchsorted(nondiff) mixed; linspace endpoints; logspace
        endpoints; geomspace endpoints; meshgrid
    """,
    "numpy reductions and scans": """
        sum axis; sum keepdims/axis tuple; sum all; prod axis; prod keepdims/axis tuple; prod all; max axis; max
        keepdims/axis tuple; max all; min axis; amax axis; amin axis; mean axis; mean keepdims/axis tuple; mean all;
        var axis; var keepdims/axis tuple; var all; std axis; std keepdims/axis tuple; std all; ptp axis; median
        axis; nansum axis; nanprod axis; nanmax axis; nanmin axis; nanmean axis; nanvar axis; nanstd axis; nanmedian
        axis; nansum with a NaN; nanmean with a NaN; nanmax with a NaN; nanvar with a NaN; nanstd with a NaN;
        nanmedian with a NaN; nanprod with a NaN; var ddof=1; median even count; sum where=; mean where=; max
        initial=; quantile; percentile; nanquantile; nanpercentile; quantile wrt q; average weights; cumsum;
        cumprod; nancumsum; nancumprod; cumulative_sum; cumulative_prod; maximum.accumulate; minimum.accumulate;
        add.reduce; multiply.reduce; maximum.reduce; logaddexp.reduce; add.accumulate; multiply.accumulate;
        add.reduceat; trapezoid; diff; diff prepend; ediff1d; gradient; gradient spacing; convolve; correlate; cov;
        corrcoef; trace; logaddexp chain; linalg.norm default
    """,
    "numpy shape and indexing": """
        reshape; ravel; transpose; permute_dims; swapaxes; moveaxis; rollaxis; matrix_transpose; expand_dims;
        squeeze; atleast_1d; atleast_2d; atleast_3d; broadcast_to; broadcast_arrays; concatenate; stack; vstack;
        hstack; dstack; column_stack; append; block; r_; c_; split; array_split; vsplit; hsplit; dsplit; unstack;
        tile; repeat; repeat counts; roll; rot90; flip; fliplr; flipud; resize; insert; delete; trim_zeros; pad
        constant; **pad constant value**; pad edge; pad reflect; pad symmetric; pad wrap; pad mean; pad linear_ramp;
        index int/slice; index fancy; index bool mask; index None/ellipsis; take; take_along_axis; put_along_axis
        (functional); compress; extract; diagonal; diag build; diag extract; diagflat; fill_diagonal; tril; triu;
        vander; sort; argsort-based; partition; lexsort-based; **unique**; sort_complex; argmax-based; outer; inner;
        dot; vdot; tensordot; kron; einsum; einsum ellipsis; einsum diagonal; einsum 3 operands optimize;
        sliding_window_view; astype/asarray; array of scalars; full(fill); setitem x[i]=y; inplace +=; add.at /
        scatter add; copy; ix_; apply_over_axes
    """,
    "numpy.linalg": """
        det; slogdet; inv; inv batched; det batched; solve; solve vec; solve batched; pinv; pinv wide; cholesky;
        cholesky batched; eigh; eigh batched; eigh complex; eigvalsh; eig; eigvals; svd full_matrices=False; svd
        wide; svd square full; svd nonsquare full_matrices=True (thin part); svd complex; svdvals; svd
        compute_uv=False; qr reduced tall; qr wide; qr mode=r; qr complete tall (R part, Q thin); qr square; lstsq;
        lstsq underdetermined; lstsq residuals; matrix_power 3; matrix_power -2; multi_dot; tensorinv; tensorsolve;
        cond; cond p=1; norm matrix ord=None; norm matrix ord="fro"; norm matrix ord="nuc"; norm matrix ord=1; norm
        matrix ord=-1; norm matrix ord=2; norm matrix ord=-2; norm matrix ord=inf; norm matrix ord=-inf; norm vector
        ord=None; norm vector ord=1; norm vector ord=2; norm vector ord=3; norm vector ord=0.5; norm vector ord=inf;
        norm vector ord=-inf; norm vector ord=0; norm vector ord=-1; norm axis/keepdims; matrix_norm; vector_norm;
        norm complex vector; trace; diagonal; cross; outer; inv complex; det complex; slogdet complex; solve
        complex; cholesky complex; qr complex; pinv complex; matrix_rank (nondiff) mixed
    """,
    "numpy.fft": """
        fft; fft n>len; fft n<len; fft norm=ortho axis=0; ifft; ifft n>len; ifft n<len; ifft norm=ortho axis=0;
        fft2; ifft2; fftn; ifftn; rfft; rfft2; rfftn; rfft odd; rfft n>len; irfft; irfft2; irfftn; irfft odd n;
        hfft; ihfft; fftshift; ifftshift
    """,
    "scipy.fft": """
        dct; idct; **dst**; **idst**; dctn; idctn; **dstn**; **idstn**; **dct type 1**; **dct type 3**; **dct type
        4**; **fht**; hfft2
    """,
    "scipy.linalg": """
        cholesky; cholesky upper; cho_solve; cho_factor+cho_solve; solve_triangular lower; solve_triangular trans;
        solve_triangular unit_diagonal; lu (L,U); lu tall; lu wide; lu_factor; lu_factor+lu_solve; **ldl**; qr
        economic; qr pivoting; **qr_multiply**; **rq**; **qz**; **ordqz**; svd; svdvals; **diagsvd**; **orth
        (projector)**; **null_space (projector)**; **subspace_angles**; **cossin**; eig; **eig generalized**;
        eigvals; eigh; **eigh generalized(a,b)**; eigvalsh; **eigh_tridiagonal eigvals**; **eigh_tridiagonal
        vectors**; **eig_banded**; **eigvals_banded**; **schur**; **schur real symmetric**; **rsf2csf**;
        **hessenberg**; **polar**; **polar tall**; expm; expm batched; expm complex; expm_frechet; **expm_cond**;
        **logm**; sqrtm; **cosm**; **sinm**; **tanm**; **coshm**; **sinhm**; **tanhm**; **funm**;
        **fractional_matrix_power**; **signm**; inv; det; pinv; pinvh; lstsq; norm; solve; solve assume_a=pos; solve
        transposed; solve_sylvester; **solve_continuous_lyapunov**; **solve_lyapunov**; **solve_discrete_lyapunov**;
        **solve_continuous_are**; **solve_discrete_are**; **solve_toeplitz**; **matmul_toeplitz**;
        **solve_circulant**; solve_banded; solve_banded (2,1); **solveh_banded**; **cholesky_banded**;
        **cho_solve_banded**; toeplitz; circulant; hankel; companion; leslie; fiedler; fiedler_companion;
        convolution_matrix; block_diag; **khatri_rao**; kron; **bandwidth/issymmetric (nondiff)**;
        **orthogonal_procrustes**; **logm complex**; **sqrtm complex**; **matrix_balance**; **cdf2rdf**
    """,
    "scipy.special": """
        gamma; gammaln; loggamma; **loggamma complex**; rgamma; gammasgn; digamma/psi; polygamma 1; polygamma 3;
        multigammaln; poch wrt z; poch wrt m; beta; betaln; gammainc wrt x; gammainc wrt a; gammaincc wrt x;
        gammaincc wrt a; **gammaincinv wrt y**; **gammaincinv wrt a**; **gammainccinv wrt y**; betainc wrt x;
        **betainc wrt a,b**; **betaincc wrt x**; **betaincinv wrt y**; zeta(x,q) wrt q; zeta(x,q) wrt x; **zeta(x)
        Riemann**; **zetac**; erf; erfc; erfcx; erfinv; erfcinv; **erfi**; erf complex; ndtr; log_ndtr; ndtri;
        **ndtri_exp**; log_ndtr far tail; j0; j1; y0; y1; i0; i0e; i1; i1e; **k0**; **k1**; **k0e**; **k1e**; jv
        (integer order 2) wrt x; **jv (order 1.3) wrt x**; **jv wrt order**; **yv (integer order 2) wrt x**; **yv
        (order 1.3) wrt x**; **yv wrt order**; iv (integer order 2) wrt x; iv (order 1.3) wrt x; **iv wrt order**;
        **kv (integer order 2) wrt x**; **kv (order 1.3) wrt x**; **kv wrt order**; ive (integer order 2) wrt x; ive
        (order 1.3) wrt x; **ive wrt order**; **kve (integer order 2) wrt x**; **kve (order 1.3) wrt x**; **kve wrt
        order**; **jve (integer order 2) wrt x**; **jve (order 1.3) wrt x**; **jve wrt order**; **yve (integer order
        2) wrt x**; **yve (order 1.3) wrt x**; **yve wrt order**; jn/yn; **hankel1**; **hankel2**; **spherical_jn**;
        **spherical_yn**; **spherical_in**; **spherical_kn**; **spherical_jn n=0**; **airy Ai**; **airy all**;
        **airye**; expi; exp1; expn; **ellipk**; **ellipkm1**; **ellipe**; **ellipkinc wrt phi,m**; **ellipeinc wrt
        phi,m**; **ellipj**; **elliprf**; **elliprd**; **elliprg**; **elliprc**; **elliprj**; **hyp0f1 wrt z**;
        hyp1f1 wrt z; hyp1f1 wrt a,b; hyp2f1 wrt z; hyp2f1 wrt a,b,c; **hyperu**; **lambertw**; **wrightomega**;
        logit; expit; log_expit; softmax; log_softmax; logsumexp axis; logsumexp b=; softplus; entr; rel_entr;
        kl_div; xlogy; xlog1py; **huber**; **pseudo_huber**; boxcox; boxcox1p; **inv_boxcox**; sici; **shichi**;
        fresnel; dawsn; wofz real; wofz complex; **spence**; **exprel**; **voigt_profile**; **cosm1**;
        **sinc/diric**; cbrt; **exp10**; exp2/expm1/log1p; **powm1**; **cosdg/sindg**; round/sinc; comb (n,k);
        **binom**; factorial; **bernoulli/agm**; **eval_legendre**; **eval_chebyt**; **eval_chebyu**;
        **eval_hermite**; **eval_hermitenorm**; **eval_laguerre**; **eval_genlaguerre**; **eval_gegenbauer**;
        **eval_jacobi**; **eval_legendre real degree**; **assoc_legendre_p**; **sph_legendre_p**; sph_harm_y wrt
        angles; owens_t; **struve**; **modstruve**; **kelvin ber**; **mathieu_cem**; **pbdv**; **lpmv**; **itj0y0**;
        **bdtr**; **nbdtr**; **fdtr**; **chdtr**; **gdtr**; **stdtr**; **stdtrit**; **pdtr**; **chndtr**;
        **tklmbda**; **kolmogorov**; **log_wright_bessel**
    """,
    "scipy.stats": """
        norm.logpdf; norm.cdf; norm.logcdf; norm.ppf; t.logpdf; **t.cdf**; **t.logcdf**; **t.ppf**; gamma.logpdf;
        gamma.cdf; gamma.logcdf; **gamma.ppf**; beta.logpdf; **beta.cdf**; **beta.logcdf**; **beta.ppf**;
        expon.logpdf; expon.cdf; expon.logcdf; expon.ppf; chi2.logpdf; chi2.cdf; chi2.logcdf; **chi2.ppf**;
        f.logpdf; **f.cdf**; **f.logcdf**; **f.ppf**; cauchy.logpdf; cauchy.cdf; cauchy.logcdf; cauchy.ppf;
        laplace.logpdf; laplace.cdf; **laplace.logcdf**; laplace.ppf; logistic.logpdf; logistic.cdf;
        **logistic.logcdf**; logistic.ppf; lognorm.logpdf; lognorm.cdf; **lognorm.logcdf**; lognorm.ppf;
        uniform.logpdf; uniform.cdf; **uniform.logcdf**; uniform.ppf; pareto.logpdf; pareto.cdf; pareto.logcdf;
        pareto.ppf; weibull_min.logpdf; weibull_min.cdf; **weibull_min.logcdf**; weibull_min.ppf; gumbel_r.logpdf;
        gumbel_r.cdf; gumbel_r.logcdf; gumbel_r.ppf; **gumbel_l.logpdf**; gumbel_l.cdf; gumbel_l.logcdf;
        **gumbel_l.ppf**; invgamma.logpdf; **invgamma.cdf**; **invgamma.logcdf**; **invgamma.ppf**;
        truncnorm.logpdf; truncnorm.cdf; truncnorm.logcdf; **truncnorm.ppf**; vonmises.logpdf; **vonmises.cdf**;
        **vonmises.logcdf**; **vonmises.ppf**; halfnorm.logpdf; halfnorm.cdf; **halfnorm.logcdf**; halfnorm.ppf;
        halfcauchy.logpdf; halfcauchy.cdf; **halfcauchy.logcdf**; halfcauchy.ppf; **rayleigh.logpdf**;
        **rayleigh.cdf**; **rayleigh.logcdf**; **rayleigh.ppf**; **skewnorm.logpdf**; **skewnorm.cdf**;
        **skewnorm.logcdf**; **skewnorm.ppf**; **genextreme.logpdf**; **genextreme.cdf**; **genextreme.logcdf**;
        **genextreme.ppf**; genpareto.logpdf; genpareto.cdf; **genpareto.logcdf**; genpareto.ppf;
        **invgauss.logpdf**; **invgauss.cdf**; **invgauss.logcdf**; **invgauss.ppf**; wrapcauchy.logpdf;
        **wrapcauchy.cdf**; **wrapcauchy.logcdf**; **wrapcauchy.ppf**; gennorm.logpdf; gennorm.cdf;
        **gennorm.logcdf**; **gennorm.ppf**; **exponnorm.logpdf**; **exponnorm.cdf**; **exponnorm.logcdf**;
        **exponnorm.ppf**; **nct.logpdf**; **nct.cdf**; **nct.logcdf**; **nct.ppf**; **ncx2.logpdf**; **ncx2.cdf**;
        **ncx2.logcdf**; **ncx2.ppf**; **triang.logpdf**; **triang.cdf**; **triang.logcdf**; **triang.ppf**;
        **powerlaw.logpdf**; **powerlaw.cdf**; **powerlaw.logcdf**; **powerlaw.ppf**; **loggamma.logpdf**;
        **loggamma.cdf**; **loggamma.logcdf**; **loggamma.ppf**; **fisk.logpdf**; **fisk.cdf**; **fisk.logcdf**;
        **fisk.ppf**; **burr.logpdf**; **burr.cdf**; **burr.logcdf**; **burr.ppf**; **maxwell.logpdf**;
        **maxwell.cdf**; **maxwell.logcdf**; **maxwell.ppf**; **rice.logpdf**; **rice.cdf**; **rice.logcdf**;
        **rice.ppf**; poisson.logpmf wrt params; poisson.cdf wrt params; bernoulli.logpmf wrt params; bernoulli.cdf
        wrt params; binom.logpmf wrt params; **binom.cdf wrt params**; nbinom.logpmf wrt params; **nbinom.cdf wrt
        params**; geom.logpmf wrt params; **geom.cdf wrt params**; betabinom.logpmf wrt params; **betabinom.cdf wrt
        params**; multivariate_normal.logpdf; dirichlet.logpdf wrt alpha; multinomial.logpmf wrt p;
        **multivariate_t.logpdf**; wishart.logpdf; **multivariate_normal.cdf**; sem; gaussian_kde.logpdf;
        **zscore**; **skew**; **kurtosis**; **moment**; **gmean**; **hmean**; **pearsonr**; **linregress slope**;
        **wasserstein_distance**; **entropy**; **trim_mean**; gamma.cdf wrt x only; gamma.logcdf wrt x only;
        **gamma.ppf wrt x only**; beta.cdf wrt x only; beta.logcdf wrt x only; **beta.ppf wrt x only**; t.cdf wrt x
        only; t.logcdf wrt x only; **t.ppf wrt x only**; chi2.cdf wrt x only; chi2.logcdf wrt x only; **chi2.ppf wrt
        x only**; **f.cdf wrt x only**; **f.logcdf wrt x only**; **f.ppf wrt x only**; **vonmises.cdf wrt x only**;
        **vonmises.logcdf wrt x only**; **vonmises.ppf wrt x only**
    """,
    "scipy.signal": """
        convolve; fftconvolve; **oaconvolve**; correlate; convolve2d; **convolve2d wrap**; correlate2d; **lfilter**;
        **filtfilt**; **sosfilt wrt x**; **sosfilt wrt sos**; **savgol_filter**; **hilbert**; detrend; **resample**;
        **resample_poly**; stft; istft; welch; csd; **periodogram**; **spectrogram**; **medfilt**; **freqz**;
        **decimate**; **lombscargle**; **czt**; **upfirdn**; **wiener**; **deconvolve**; **lsim**
    """,
    "scipy.ndimage": """
        **convolve**; correlate; **convolve1d**; **gaussian_filter**; **gaussian_filter wrt sigma**;
        **uniform_filter**; **sobel**; **laplace**; **gaussian_gradient_magnitude**; **maximum_filter**;
        **median_filter**; map_coordinates order1 wrt input; map_coordinates order1 wrt coords; **map_coordinates
        order3 wrt coords**; **map_coordinates order3 wrt input**; **affine_transform**; **zoom**; **rotate**;
        **shift**; **spline_filter**; **distance_transform / center_of_mass**; **fourier_gaussian**; **sum_labels**
    """,
    "scipy.integrate": """
        trapezoid; cumulative_trapezoid; **simpson**; **cumulative_simpson**; **romb**; **fixed_quad (param)**;
        **quad (param+limits)**; **dblquad param**; **quad_vec param**; odeint wrt y0,theta; odeint wrt times;
        **solve_ivp RK45**; **solve_ivp stiff (BDF/Radau)**; **solve_ivp event time**; **solve_bvp**
    """,
    "scipy.optimize": """
        brentq root param; **newton root param**; **fsolve param**; **root param**; fixed_point param; **minimize
        argmin param**; **minimize optimal value param**; **least_squares argmin**; **curve_fit params wrt data**;
        **linprog solution wrt b**; **minimize constrained (SLSQP)**; **nnls**; **lsq_linear bounded**;
        **minimize_scalar**; **linear_sum_assignment cost**
    """,
    "scipy.interpolate": """
        **CubicSpline wrt y,xnew**; **CubicSpline wrt knots**; **PchipInterpolator wrt y,xnew**; **PchipInterpolator
        wrt knots**; **Akima1DInterpolator wrt y,xnew**; **Akima1DInterpolator wrt knots**; **interp1d linear**;
        **interp1d cubic**; RegularGridInterpolator linear wrt values,xi; **RegularGridInterpolator cubic**;
        **BSpline wrt c,x**; **make_interp_spline**; **UnivariateSpline/splrep smoothing**; **PPoly**;
        **RBFInterpolator**; **griddata linear**; **BarycentricInterpolator**; **RectBivariateSpline**
    """,
    "scipy.sparse": """
        spsolve wrt data,b; sparse @ dense wrt data; sparse COO @ dense wrt data; cg; gmres; bicgstab; **minres**;
        **expm_multiply**; eigsh k=2; **svds**; lobpcg; **lsqr**; **lsmr**; **splu.solve**
    """,
    "scipy.spatial": """
        cdist euclidean; pdist euclidean; **cdist sqeuclidean**; cdist cityblock; pdist cityblock; cdist chebyshev;
        pdist chebyshev; **cdist cosine**; **pdist cosine**; **cdist correlation**; cdist minkowski; **cdist
        canberra**; **cdist braycurtis**; **cdist jensenshannon**; **cdist mahalanobis wrt VI**; **squareform**;
        Rotation.from_rotvec.as_matrix; Rotation.from_quat.as_matrix; Rotation.from_euler.as_matrix;
        Rotation.from_matrix.as_rotvec; Slerp; **ConvexHull area/volume**; **procrustes disparity**
    """,
}
"""The cases of each module; in bold what neither JAX 0.10, PyTorch 2.13, autograd 1.9 nor MyGrad 2.5 does right."""


def cases(group: str) -> list[str]:
    """The names of a group's cases."""
    return [re.sub(r"\s+", " ", case).strip().strip("*") for case in GROUPS[group].split(";")]


def samples_of(group: str) -> dict[str, list[Sample]]:
    """The samples that show each case of a group."""
    module = group.split(" ")[0]
    found: dict[str, list[Sample]] = {case: [] for case in cases(group)}
    for s in all_samples():
        if s.module == module if s.of_scipy else not module.startswith("scipy"):
            for case in filter(None, map(str.strip, s.case.split(";"))):
                if case in found:
                    found[case].append(s)
    return found


def native(s: Sample) -> str:
    """What of the value and gradient is native code under jit: all of it, a part, or nothing."""
    at = constants(s).at
    f = lambda *xs: [y for y in flatten(at(*xs))[0] if dtype_of(y).kind in "fc"]

    def gradient(*xs):
        ys, pull = vjp(f, *xs)
        return ys, pull([np.ones_like(y) for y in ys])

    equations = simplify(jit(gradient).program(*s.primals)).equations
    done = [*map(supported, equations)]
    return "all" if all(done) else "part" if any(done) else "–"


def method(s: Sample) -> str:
    """How the derivative is made: the kind of rule, and what its docstring says first."""
    rule = RULES.get(s.fn) if getattr(s.fn, "__hash__", None) else None
    if rule is None:
        return "its own class or function"
    body = getattr(rule, "body", None)
    text = (getattr(body, "__doc__", None) or "").strip().split("\n\n")[0]
    return f"{rule.kind}: {' '.join(text.split())}" if text else rule.kind


def page() -> str:
    """The text of docs/coverage.md."""
    counts = [(group, len(cases(group)), sum(map(bool, samples_of(group).values()))) for group in GROUPS]
    lines = [
        "# What has a derivative",
        "",
        *textwrap.wrap(INTRODUCTION, 120),
        "",
        "| group | cases | work |",
        "|---|---|---|",
        *(f"| {group} | {n} | {k} |" for group, n, k in counts),
        f"| **all** | {sum(n for _, n, _ in counts)} | {sum(k for *_, k in counts)} |",
    ]
    columns = ["case", "function", "forward", "reverse", "second order", "vmap", "native", "method"]
    for group in GROUPS:
        lines += ["", f"## {group}", "", f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
        for case, found in samples_of(group).items():
            for s in found[:1]:
                second, batch = ("–" if reason else "yes" for reason in (s.no_second, s.no_vmap))
                row = case, f"`{full_name(s.fn)}`", "yes", "yes", second, batch, native(s), method(s)
                lines.append("| " + " | ".join(x.replace("|", "\\|") for x in row) + " |")
            if not found:
                lines.append(f"| {case} | missing | | | | | | |")
    lines += ["", "## What is refused", "", *textwrap.wrap(REFUSALS, 120)]
    for module in MODULES:
        for why, names in refused(module).items():
            lines += ["", *textwrap.wrap(f"**scipy.{module}**, {why}: {', '.join(f'`{n}`' for n in names)}.", 120)]
    lines += ["", "### Arguments", ""]
    for why, functions in refused_arguments().items():
        names = ", ".join(f"`{name}` ({', '.join(arguments)})" for name, arguments in functions.items())
        lines += textwrap.wrap(f"- **{why}**: {names}", 120, subsequent_indent="  ", break_on_hyphens=False)
    return "\n".join(lines) + "\n"


REFUSALS = (
    "These raise `NoRuleError` by name when they are given a value under differentiation; classes refuse it or hold it "
    "as it is. So do the flags, names, axes and other integers among the arguments of all functions, the argument of a "
    "discrete distribution, which is an integer, and the arguments listed at the end."
)
INTRODUCTION = (
    "Each case is a function with the argument that is differentiated, all in both modes, at a regular point. Where "
    "jit has no native code for a function, compiled code calls SciPy. This page is written by `python "
    "tests/cases.py` from the tests' samples, which are checked against differences, in each mode, nested, in "
    "batches and compiled."
)

if __name__ == "__main__":
    (Path(__file__).parents[1] / "docs" / "coverage.md").write_text(page(), encoding="utf-8")
