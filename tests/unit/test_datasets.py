"""Pictures that come with the libraries: their layout, range and labels, and no network."""

import socket

import numpy as np
import pytest

from utils.datasets import Photo, digits, mnist, photo

PHOTOS = Photo.__args__
COLOURED = {"astronaut", "chelsea", "coffee"}


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("the data sets must not use the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.parametrize("name", PHOTOS)
def test_a_photo_is_planes_of_numbers_from_0_to_1(name):
    picture = photo(name)
    assert picture.ndim == 3 and len(picture) == (3 if name in COLOURED else 1)
    assert picture.dtype == np.float32 and picture.flags.c_contiguous
    assert 0 <= picture.min() < 0.3 and 0.7 < picture.max() <= 1
    assert np.array_equal(picture, photo(name))


@pytest.mark.parametrize("name", PHOTOS)
@pytest.mark.parametrize("gray", [False, True])
def test_a_photo_of_a_size_is_a_square(name, gray):
    picture = photo(name, size=64, gray=gray)
    assert picture.shape == (3 if name in COLOURED and not gray else 1, 64, 64)
    assert picture.dtype == np.float32 and picture.min() >= 0 and picture.max() <= 1
    assert np.array_equal(picture, photo(name, size=64, gray=gray))


def test_a_photo_is_a_fresh_array():
    photo("camera")[:] = 0
    assert photo("camera").max() > 0


def test_the_square_is_the_middle_of_the_photo():
    whole = photo("chelsea")  # 300 high, 451 wide
    assert whole.shape == (3, 300, 451)
    square = photo("chelsea", size=300)
    assert np.allclose(square, whole[:, :, 75:375], atol=1e-6)


def test_shrinking_averages():
    large, small = photo("grass", size=512), photo("grass", size=32)
    assert small.mean() == pytest.approx(large.mean(), abs=0.01)
    assert small.std() < large.std() / 2


def test_gray_is_the_brightness_of_the_channels():
    coloured, gray = photo("astronaut", size=64), photo("astronaut", size=64, gray=True)
    assert np.allclose(gray[0], np.tensordot([0.2125, 0.7154, 0.0721], coloured, 1), atol=1e-5)


@pytest.mark.parametrize("name", ["dog", "", "imread", "__doc__"])
def test_an_unknown_photo_is_refused(name):
    with pytest.raises(ValueError, match=f"photo must be one of astronaut, .*, gravel, got '{name}'"):
        photo(name)


@pytest.mark.parametrize(("name", "size", "side"), [("chelsea", 301, 300), ("camera", 0, 512), ("brick", -1, 512)])
def test_a_size_that_cannot_be_cut_is_refused(name, size, side):
    with pytest.raises(ValueError, match=f"size must lie in 1 … {side} for {name}, got {size}"):
        photo(name, size=size)


def test_digits():
    images, labels = digits()
    assert images.shape == (1797, 1, 8, 8) and images.dtype == np.float32
    assert (images.min(), images.max()) == (0, 1)
    assert np.array_equal(images * 16, np.round(images * 16))  # 17 shades
    assert labels.shape == (1797,) and labels.dtype == np.int64
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert np.array_equal(labels[:10], np.arange(10))
    again, _ = digits()
    assert again is not images and np.array_equal(again, images)
    # A zero is hollow, a one is not.
    assert images[labels == 0, 0, 3:5, 3:5].mean() < 0.2 < 0.7 < images[labels == 1, 0, 3:5, 3:5].mean()


SPLITS = {"train": 3000, "validation": 1000, "test": 1000}


@pytest.mark.parametrize(("split", "count"), SPLITS.items())
def test_mnist_has_as_many_of_each_digit(split, count):
    images, labels = mnist(split)
    assert images.shape == (count, 1, 28, 28) and images.dtype == np.float32
    assert images.min() == 0 and images.max() == 1
    assert labels.dtype == np.int64 and np.bincount(labels).tolist() == [count // 10] * 10
    assert np.bincount(labels[:100]).tolist() == [10] * 10
    assert np.array_equal(images, mnist(split)[0])


def test_mnist_splits_share_no_image_and_are_all_of_it():
    images = [image.tobytes() for split in SPLITS for image in mnist(split)[0]]
    assert len(images) == 5000 and len(set(images)) == 5000


def test_mnist_labels_belong_to_the_images():
    """The nearest of the ten mean images is right for four of five."""
    images, labels = mnist("train")
    means = np.stack([images[labels == digit].mean(0) for digit in range(10)])
    images, labels = mnist("test")
    distances = ((images[:, None] - means) ** 2).sum((2, 3, 4))
    assert (distances.argmin(1) == labels).mean() > 0.75


def test_mnist_has_three_splits():
    with pytest.raises(ValueError, match="split must be one of train, validation, test, got 'all'"):
        mnist("all")
